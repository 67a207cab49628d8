/** The last events with what became of them, bounded in number and in bytes. Holds frames as they came; lines are decoded only when asked for. */

import type { LedgerFrame } from './ledger-frame.ts';

export interface TrailLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

export class Trail {
  readonly #limits: TrailLimits;
  #frames: (LedgerFrame | null)[] = [];
  /** Frames before this position were let go: their places are empty until the list is cut. */
  #head = 0;
  #events = 0;
  #bytes = 0;

  constructor(limits: TrailLimits) {
    this.#limits = limits;
  }

  get size(): { readonly events: number; readonly bytes: number } {
    return { events: this.#events, bytes: this.#bytes };
  }

  push(frame: LedgerFrame): void {
    this.#frames.push(frame);
    this.#events += frame.count;
    this.#bytes += frame.byteLength;
    while (this.#events > this.#limits.maxEvents || this.#bytes > this.#limits.maxBytes) {
      const oldest = this.#frames[this.#head];
      if (oldest === undefined || oldest === null) break;
      this.#frames[this.#head] = null;
      this.#head += 1;
      this.#events -= oldest.count;
      this.#bytes -= oldest.byteLength;
    }
    if (this.#head > 256 && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Newest first. */
  *newestFirst(): Generator<LedgerFrame> {
    for (let i = this.#frames.length - 1; i >= this.#head; i -= 1) yield this.#frames[i] as LedgerFrame;
  }
}
