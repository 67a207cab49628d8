/**
 * Runs code of ours over patterns of somebody else's. A `pattern` in a bundle's config schema may backtrack for ever, and the host
 * thread is where configuration is checked; V8's watchdog interrupts a regular expression, which no timer of ours could.
 */

import vm from 'node:vm';
import { codeOf } from '../../ipc/errors.ts';

const globals: { run?: () => void } = Object.create(null);
const context = vm.createContext(globals);
const script = new vm.Script('run()');

/** On a machine that is busy a thread may stand in line for long: that is no fault of what it runs. */
const MAX_TRIES = 8;
/** Of its time on the processor: readings are coarse. */
const FULL_SHARE = 0.8;

/**
 * `late`: `action` was cut off, having had `ms` of the processor. It may be cut off and begun anew before that, so it changes nothing
 * outside. What it throws passes through. Synchronous; costs about 0.1 ms.
 */
export function callBounded<T>(ms: number, action: () => T): Called<T> {
  const startedAt = cpuMs();
  for (let tries = 1; ; tries += 1) {
    const call = callOnce(ms, action);
    if (call.kind === 'done' || tries === MAX_TRIES || cpuMs() - startedAt >= ms * FULL_SHARE) return call;
  }
}

/** Of this thread. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

type Called<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'late' };

/** `ms`: by the clock on the wall. */
function callOnce<T>(ms: number, action: () => T): Called<T> {
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
