// Runs in the plugin's thread.
/** Counts what the plugin uses, in cells that the host reads or asks for. */

import { resolve } from 'node:path';
import { USES, type Uses } from '../../uses.ts';
import { apply, create, each } from './primordials.ts';

const { add, store, or, and } = Atomics;
const diagnostics = process.getBuiltinModule('node:diagnostics_channel');
const CELLS = create(null) as Record<keyof Uses, number>;
let cell = 0;
each(USES, (name) => {
  CELLS[name] = cell;
  cell += 1;
});

export class UseCount {
  readonly #cells: Int32Array;

  /** One cell for each of `USES`. */
  constructor(cells: Int32Array) {
    this.#cells = cells;
  }

  more(name: keyof Uses): void {
    apply(add, undefined, [this.#cells, CELLS[name], 1]);
  }

  set(name: keyof Uses, value: number): void {
    apply(store, undefined, [this.#cells, CELLS[name], value]);
  }

  bit(name: keyof Uses, bit: number, isSet: boolean): void {
    const mask = 1 << bit;
    apply(isSet ? or : and, undefined, [this.#cells, CELLS[name], isSet ? mask : ~mask]);
  }
}

const IPC = resolve(import.meta.dirname, '../..');

/** Of files it is Node itself that refuses. From now on: what the guard gave up before is none of the plugin's. */
export function countRefusedFiles(uses: UseCount): void {
  diagnostics.subscribe('node:permission-model:fs', (refused) => {
    // Node looks for the package.json beside `khook/plugin` when CommonJS requires that.
    if ((refused as { resource?: unknown }).resource !== IPC) uses.more('deniedFiles');
  });
}
