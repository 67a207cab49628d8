/**
 * One client that listens, by server-sent events. What it does not read in time is not kept for it: it is told how many messages it
 * missed, and it is let go when it reads nothing at all. Its connection holds no more memory than one message over the bound.
 *
 * flowing ─bound reached─▶ full ─all is read─▶ flowing (and says what was missed)
 *    │                      └─nothing is read for too long─▶ closed
 *    └─end()─▶ ended ─all is read─▶ closed            the client goes away: closed, from anywhere
 */

import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../ipc/clock.ts';
import type { StreamMessage, StreamSink } from './stream.ts';

export const SSE_TYPE = 'text/event-stream; charset=utf-8';

/** What may wait to be read. */
const MAX_PENDING_BYTES = 1024 * 1024;
/** A client that reads nothing of that for so long is let go. */
const PATIENCE_MS = 30_000;
/** Keeps what stands between from closing a connection on which nothing happens. */
const BEAT_MS = 15_000;

export class EventStream implements StreamSink {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #beat: Timer;
  readonly #onClosed: () => void;
  #patience: Timer | null = null;
  #waiting: ((canTakeMore: boolean) => void)[] = [];
  #missed = 0;
  #state: 'flowing' | 'full' | 'ended' | 'closed' = 'flowing';

  /** `response` has its headers, and is not closed yet. */
  constructor(response: ServerResponse, { clock, onClosed }: { readonly clock: Clock; readonly onClosed: () => void }) {
    this.#response = response;
    this.#clock = clock;
    this.#onClosed = onClosed;
    this.#beat = clock.every(BEAT_MS, () => {
      if (response.writableLength === 0) response.write(':\n\n');
    });
    response.on('drain', () => {
      if (this.#state === 'full') this.#transition('flowing');
    });
    response.once('close', () => this.#transition('closed'));
  }

  push({ kind, data }: StreamMessage): void {
    if (this.#state === 'flowing') this.#write(kind, data);
    else this.#missed += 1;
  }

  miss(count: number): void {
    this.#missed += count;
    this.#tellMissed();
  }

  ready(): Promise<boolean> {
    if (this.#state !== 'full') return Promise.resolve(this.#state === 'flowing');
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    if (this.#state === 'closed' || this.#state === 'ended') return;
    this.#transition('flowing');
    this.#tellMissed();
    this.#transition('ended');
    this.#response.end();
  }

  #write(kind: string, data: string): void {
    // What is said in one turn goes out as one.
    if (this.#response.writableCorked === 0) {
      this.#response.cork();
      queueMicrotask(() => this.#response.uncork());
    }
    this.#response.write(`event: ${kind}\ndata: ${data}\n\n`);
    if (this.#response.writableLength > MAX_PENDING_BYTES) this.#transition('full');
  }

  #tellMissed(): void {
    if (this.#missed === 0 || this.#state !== 'flowing') return;
    const count = this.#missed;
    this.#missed = 0;
    this.#write('missed', JSON.stringify({ kind: 'missed', count }));
  }

  #transition(state: 'flowing' | 'full' | 'ended' | 'closed'): void {
    if (this.#state === 'closed' || this.#state === state) return;
    this.#state = state;
    this.#patience?.cancel();
    this.#patience = null;
    if (state === 'full' || state === 'ended') this.#wait();
    else for (const resolve of this.#waiting.splice(0)) resolve(state === 'flowing');
    if (state === 'flowing') this.#tellMissed();
    if (state !== 'closed') return;
    this.#beat.cancel();
    this.#onClosed();
  }

  /** Gives up a client that has read nothing all the while. */
  #wait(): void {
    const before = this.#response.writableLength;
    this.#patience = this.#clock.after(PATIENCE_MS, () => {
      if (this.#response.writableLength < before) this.#wait();
      else this.#response.destroy();
    });
  }
}
