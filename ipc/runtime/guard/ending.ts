// Runs in the plugin's thread.
/**
 * Where a thread that is about to be ended waits for its end: at a place where nothing is half made. Node aborts the process when a thread
 * ends between the making of a native object and its initialisation, as one does that makes compressors without pause, and when it ends as
 * an answer of the thread pool becomes a key. With this it is found waiting in JavaScript instead.
 */

import { IS_NEAR, MADE, WAITS } from '../../ending-cells.ts';
import { apply } from './primordials.ts';

const { add, load, notify, store, wait } = Atomics;

export class Ending {
  readonly #cells: Int32Array | null;

  /** See `ipc/ending-cells.ts`. */
  constructor(cells: Int32Array | null) {
    this.#cells = cells;
  }

  /** One more such object was made, or is asked for. Returns at once, or never. */
  made(): void {
    if (this.#cells === null) return;
    apply(add, undefined, [this.#cells, MADE, 1]);
    this.heed();
  }

  /** Returns at once, or never. */
  heed(): void {
    const cells = this.#cells;
    if (cells === null || apply(load, undefined, [cells, IS_NEAR]) !== 1) return;
    apply(store, undefined, [cells, WAITS, 1]);
    apply(notify, undefined, [cells, WAITS]);
    apply(wait, undefined, [cells, IS_NEAR, 1]);
  }
}
