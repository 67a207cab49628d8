/**
 * Events that have just ended, for those who listen. The ledger is listened to only while somebody does. Events are written in the
 * matcher pool, one frame at a time and once for all listeners; what comes faster than that is not kept, but counted as missed.
 * Runs on the host thread, which reads no line.
 */

import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerFrame } from '../ledger/ledger-frame.ts';

export interface FeedListener {
  wants(frame: LedgerFrame, index: number): boolean;
  push(text: string): void;
  miss(count: number): void;
}

export interface SettledFeedOptions {
  readonly ledger: Pick<Ledger, 'on'>;
  /** One text per event. */
  readonly write: (frame: LedgerFrame, indices: readonly number[]) => Promise<readonly string[]>;
}

/** What may wait to be written; frames are counted whole. */
const MAX_EVENTS = 10_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** Events that ended while these listened: who comes later is not told of them. */
interface Batch {
  readonly listeners: readonly FeedListener[];
  readonly frames: Map<LedgerFrame, number[]>;
}

export class SettledFeed {
  readonly #options: SettledFeedOptions;
  readonly #listeners = new Set<FeedListener>();
  readonly #batches: Batch[] = [];
  #events = 0;
  #bytes = 0;
  #unsubscribe: (() => void) | null = null;
  #isPumping = false;

  constructor(options: SettledFeedOptions) {
    this.#options = options;
  }

  /** Told of every event that ends from now on. Returns what stops it. */
  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    this.#begin();
    this.#unsubscribe ??= this.#options.ledger.on('events:ended', ({ frame, indices }) => this.#hear(frame, indices));
    return () => {
      this.#listeners.delete(listener);
      this.#begin();
      if (this.#listeners.size > 0) return;
      this.#unsubscribe?.();
      this.#unsubscribe = null;
    };
  }

  /** Others listen from now on; what is empty by now is let go. */
  #begin(): void {
    this.#batches.push({ listeners: [...this.#listeners], frames: new Map() });
    void this.#pump();
  }

  #hear(frame: LedgerFrame, indices: readonly number[]): void {
    const batch = this.#batches.at(-1);
    if (batch === undefined) return;
    const listeners = batch.listeners.filter((listener) => this.#listeners.has(listener));
    const wanted = indices.filter((index) => listeners.some((listener) => listener.wants(frame, index)));
    if (wanted.length === 0) return;
    const known = batch.frames.get(frame);
    const bytes = known === undefined ? frame.byteLength : 0;
    if (this.#events + wanted.length > MAX_EVENTS || this.#bytes + bytes > MAX_BYTES) {
      miss(listeners, frame, wanted);
      return;
    }
    this.#events += wanted.length;
    this.#bytes += bytes;
    if (known === undefined) batch.frames.set(frame, wanted);
    else known.push(...wanted);
    void this.#pump();
  }

  /** Never rejects. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let next = this.#take(); next !== null; next = this.#take()) {
      const { frame, indices, batch } = next;
      const listeners = batch.listeners.filter((listener) => this.#listeners.has(listener));
      if (listeners.length > 0) await this.#tell(listeners, frame, indices);
      this.#events -= indices.length;
      this.#bytes -= frame.byteLength;
    }
    this.#isPumping = false;
  }

  async #tell(listeners: readonly FeedListener[], frame: LedgerFrame, indices: readonly number[]): Promise<void> {
    try {
      const texts = await this.#options.write(frame, indices);
      indices.forEach((index, n) => {
        const text = texts[n] ?? '';
        for (const listener of listeners) if (listener.wants(frame, index)) listener.push(text);
      });
    } catch {
      // The pool is busy, or stops.
      miss(listeners, frame, indices);
    }
  }

  /** The frame that has waited longest. */
  #take(): { readonly frame: LedgerFrame; readonly indices: readonly number[]; readonly batch: Batch } | null {
    for (;;) {
      const [batch] = this.#batches;
      if (batch === undefined) return null;
      for (const [frame, indices] of batch.frames) {
        batch.frames.delete(frame);
        return { frame, indices, batch };
      }
      if (this.#batches.length === 1) return null;
      this.#batches.shift();
    }
  }
}

function miss(listeners: readonly FeedListener[], frame: LedgerFrame, indices: readonly number[]): void {
  for (const listener of listeners) {
    const count = indices.filter((index) => listener.wants(frame, index)).length;
    if (count > 0) listener.miss(count);
  }
}
