// Runs in the plugin's thread.
/**
 * Where a thread that is about to be ended waits for its end: at a place where nothing is half made. Node aborts the process when a thread
 * ends between the making of a native object and its initialisation, as one does that makes compressors without pause; with this it is found
 * waiting instead.
 */

import { apply } from './primordials.ts';

const { load, wait } = Atomics;

export class Ending {
  readonly #cell: Int32Array | null;

  /** `cell`: the host writes 1 into it a moment before it ends the thread; null where nobody does. */
  constructor(cell: Int32Array | null) {
    this.#cell = cell;
  }

  /** Returns at once, or never. */
  await(): void {
    const cell = this.#cell;
    if (cell !== null && apply(load, undefined, [cell, 0]) === 1) apply(wait, undefined, [cell, 0, 1]);
  }
}
