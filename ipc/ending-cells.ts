/** The cells of shared memory by which a thread and its host agree on the moment of its end: see ipc/runtime/guard/ending.ts. */

/** The host writes 1 a moment before it ends the thread. */
export const IS_NEAR = 0;
/** Counts what makes that moment necessary. */
export const MADE = 1;
/** 1 when the thread waits for its end. */
export const WAITS = 2;

export function endingCells(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
}
