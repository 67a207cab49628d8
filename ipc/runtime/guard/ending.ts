// Runs in the plugin's thread.
/**
 * Where a thread that is about to be ended waits for its end: at a place where nothing is half made. Node aborts the process when a thread
 * ends between the making of a native object and its initialisation, as one does that makes compressors without pause; with this it is found
 * waiting instead.
 */

import { apply } from './primordials.ts';

const { add, load, store, wait } = Atomics;

export class Ending {
  readonly #cells: Int32Array | null;

  /** Three cells: see `GuardOptions.ending`. */
  constructor(cells: Int32Array | null) {
    this.#cells = cells;
  }

  /** One more such object was made. Returns at once, or never. */
  made(): void {
    const cells = this.#cells;
    if (cells === null) return;
    apply(add, undefined, [cells, 1, 1]);
    if (apply(load, undefined, [cells, 0]) !== 1) return;
    apply(store, undefined, [cells, 2, 1]);
    apply(wait, undefined, [cells, 0, 1]);
  }
}
