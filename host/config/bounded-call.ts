/**
 * Runs code of ours over patterns of somebody else's. A `pattern` in a bundle's config schema may backtrack for ever, and the host
 * thread is where configuration is checked; V8's watchdog interrupts a regular expression, which no timer of ours could.
 */

import vm from 'node:vm';
import { systemClock } from '../../ipc/clock.ts';
import { codeOf } from '../../ipc/errors.ts';

const globals: { run?: () => void } = Object.create(null);
const context = vm.createContext(globals);
const script = new vm.Script('run()');

/** Of the time that it was given: one that worked less than this was kept from working, and says nothing of itself. */
const BUSY = 0.5;
/** With twice the time of the one before, each. */
const TRIES = 4;

type Ending<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'late' };

/**
 * `late`: `action` was cut off after it had worked for about `ms`. V8's watchdog goes by the wall, so on a machine that gives this thread no
 * core `action` is run again: it must not change anything. What it throws passes through. Synchronous; costs about 0.1 ms.
 */
export function callBounded<T>(ms: number, action: () => T): Ending<T> {
  for (let [timeout, left] = [ms, TRIES - 1]; ; timeout *= 2, left -= 1) {
    const before = systemClock.cpu();
    const ending = callOnce(timeout, action);
    if (ending.kind === 'done' || left === 0 || systemClock.cpu() - before >= ms * BUSY) return ending;
  }
}

function callOnce<T>(ms: number, action: () => T): Ending<T> {
  let outcome: { readonly value: T } | null = null;
  globals.run = () => {
    outcome = { value: action() };
  };
  try {
    script.runInContext(context, { timeout: ms });
  } catch (error) {
    if (codeOf(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return { kind: 'late' };
    throw error;
  } finally {
    delete globals.run;
  }
  // Assigned inside the closure, which the compiler does not follow.
  const { value } = outcome as unknown as { readonly value: T };
  return { kind: 'done', value };
}
