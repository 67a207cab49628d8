// Runs in the plugin's thread.
/** Garbage collection on request. `gc` is taken before any code of the plugin runs; without V8's flag for it nothing happens. */

export type Thoroughness =
  /** All that is garbage. */
  | 'ordinary'
  /** Also gives the emptied pages back to the system. */
  | 'thorough';

interface Collection {
  readonly type: 'major' | 'minor';
  readonly execution: 'sync';
  readonly flavor: 'regular' | 'last-resort';
}

const gc = (globalThis as { gc?: (options: Collection) => void }).gc;

export function collect(thoroughness: Thoroughness): void {
  // Said in full: gc() without a word collects the young generation only.
  gc?.({ type: 'major', execution: 'sync', flavor: thoroughness === 'thorough' ? 'last-resort' : 'regular' });
  // Buffers are given back in the background, and on a busy machine long afterwards; the next collection waits for that.
  gc?.({ type: 'minor', execution: 'sync', flavor: 'regular' });
}
