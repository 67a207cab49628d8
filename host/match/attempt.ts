/**
 * One task on one pool thread, watched. The pool settles a task but does not await the end of a thread that it kills, so a cell
 * belongs to one try: after a kill the old thread may still write to the old one.
 *
 *   not started ─▶ loading rules ─▶ at event 0, 1, 2 … ─▶ done
 *
 * Before the first event the start-up time counts (a thread is being born, or compiles rules); from then on each event has the
 * frame timeout. Looks are counted, not time: a host that stood still itself must not blame the pool.
 */

import type { Clock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { DONE, NOT_STARTED, POSITION_WORD } from './task-message.ts';

const LOOKS = 4;

export type AttemptOutcome<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** The thread was killed: it sat at one position for too long. `position` is the word of the cell. */
  | { readonly kind: 'stuck'; readonly position: number }
  /** The thread died by itself; at DONE it died of handing over its answer. */
  | { readonly kind: 'died'; readonly position: number; readonly error: string };

export interface AttemptOptions {
  readonly clock: Clock;
  readonly frameTimeoutMs: number;
  readonly startTimeoutMs: number;
}

export function newCell(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(NOT_STARTED);
}

/** Never rejects. */
export async function attempt<Answer>(
  cell: Int32Array,
  run: (signal: AbortSignal) => Promise<Answer>,
  options: AttemptOptions,
): Promise<AttemptOutcome<Answer>> {
  const controller = new AbortController();
  let stuckAt: number | null = null;
  let seen = NOT_STARTED;
  let looks = 0;
  const look = (): void => {
    const position = Atomics.load(cell, POSITION_WORD);
    looks = position === seen ? looks + 1 : 0;
    seen = position;
    const allowed = position >= 0 ? LOOKS : Math.ceil((options.startTimeoutMs / options.frameTimeoutMs) * LOOKS);
    if (looks < allowed || position === DONE) return;
    stuckAt = position;
    controller.abort();
  };
  const watch = options.clock.every(Math.max(1, options.frameTimeoutMs / LOOKS), look);
  try {
    return { kind: 'answered', answer: await run(controller.signal) };
  } catch (error) {
    if (stuckAt !== null) return { kind: 'stuck', position: stuckAt };
    return { kind: 'died', position: Atomics.load(cell, POSITION_WORD), error: messageOf(error) };
  } finally {
    watch.cancel();
  }
}
