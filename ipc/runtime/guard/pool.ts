// Runs in the plugin's thread.
/**
 * The thread pool that all plugins and the host share. A plugin has so many jobs in it at once; and because what they compute and
 * allocate shows in none of its own signs, it is counted in memory that the host reads.
 */

import type { Ending } from './ending.ts';
import { apply, construct, get, getOwnPropertyDescriptor, isView } from './primordials.ts';
import { Turns } from './turns.ts';

/** Of one plugin; the pool has more threads, so that others get theirs. */
const JOBS_AT_ONCE = 2;
const now = performance.now.bind(performance);
const { add } = Atomics;
const Bytes = Uint8Array;
const sizeOfBuffer = getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get as () => number;

export class Pool extends Turns {
  readonly #work: Int32Array | null;
  readonly #ending: Ending;

  /** `work`: one cell, to which a job adds 1 as it begins and its milliseconds as it ends; null where nobody reads it. */
  constructor(work: Int32Array | null, ending: Ending) {
    super(JOBS_AT_ONCE);
    this.#work = work;
    this.#ending = ending;
  }

  override take(start: (end: () => void) => void): void {
    super.take((end) => {
      this.#ending.made();
      const startedAt = now();
      let isOver = false;
      this.#count(1);
      start(() => {
        if (isOver) return;
        isOver = true;
        this.#count(now() - startedAt);
        end();
      });
    });
  }

  #count(ms: number): void {
    if (this.#work !== null) apply(add, undefined, [this.#work, 0, ms]);
  }
}

/** Of a view or a buffer; anything else comes back as it is. */
export function copyOfBytes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  try {
    if (!isView(value)) apply(sizeOfBuffer, value, []);
    // Of a view or an array that is given, a new array is a copy; of a buffer it would be a window.
    const place = isView(value) ? [get(value, 'buffer'), get(value, 'byteOffset'), get(value, 'byteLength')] : [value];
    return construct(Bytes, [construct(Bytes, place)]);
  } catch {
    return value;
  }
}
