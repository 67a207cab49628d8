/** The queue of one plugin: its frames in order, one of them in the matcher at a time, held back by the plugin's rate limit. State and arithmetic; no timers. */

import type { Refusal } from '../../ipc/messages.ts';
import { type BucketRate, fullBucket, type TokenBucket, take, waitMs } from '../base/token-bucket.ts';
import type { RateLimit } from '../config/permissions.ts';
import type { LedgerFrame } from '../ledger/ledger-frame.ts';

export interface QueuedFrame {
  readonly entry: LedgerFrame;
  readonly eventTypes: ReadonlySet<string> | null;
  /** Monotonic. */
  readonly arrivedAt: number;
  /** Told once, when each event of the frame has its verdict and its firings are in dispatch's hands. */
  readonly acknowledge: (refusals: readonly Refusal[]) => void;
  isThrottled: boolean;
}

export class Lane {
  readonly plugin: string;
  #limit: RateLimit;
  #bucket: TokenBucket;
  readonly #queue: QueuedFrame[] = [];
  #queuedEvents = 0;
  /** A frame of this plugin is in the matcher. */
  isBusy = false;
  /** The plugin is gone: the lane goes too when nothing of it is left. */
  isForgotten = false;

  constructor(plugin: string, limit: RateLimit, now: number) {
    this.plugin = plugin;
    this.#limit = limit;
    this.#bucket = fullBucket(this.#rate, now);
  }

  get queuedEvents(): number {
    return this.#queuedEvents;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  get dropsWhenFull(): boolean {
    return this.#limit.whenFull === 'drop_newest';
  }

  get #rate(): BucketRate {
    return { perSecond: this.#limit.eventsPerSecond, burst: this.#limit.burst };
  }

  /** A new limit takes effect at once; what was saved up or owed is kept. True when it is another one. */
  setLimit(limit: RateLimit): boolean {
    const isNew = limit !== this.#limit;
    this.#limit = limit;
    return isNew;
  }

  push(frame: QueuedFrame): void {
    this.#queue.push(frame);
    this.#queuedEvents += frame.entry.count;
  }

  /** Milliseconds until the rate limit lets the next frame pass; 0 = now. */
  waitMs(now: number): number {
    return waitMs(this.#bucket, this.#rate, now);
  }

  /** Pays for a frame, into debt if need be. */
  spend(now: number, count: number): void {
    this.#bucket = take(this.#bucket, this.#rate, { now, count });
  }

  get head(): QueuedFrame | null {
    return this.#queue[0] ?? null;
  }

  shift(): QueuedFrame | null {
    const frame = this.#queue.shift() ?? null;
    if (frame !== null) this.#queuedEvents -= frame.entry.count;
    return frame;
  }
}
