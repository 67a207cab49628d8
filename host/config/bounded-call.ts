/**
 * Runs code of ours over patterns of somebody else's. A `pattern` in a bundle's config schema may backtrack for ever, and the host
 * thread is where configuration is checked; V8's watchdog interrupts a regular expression, which no timer of ours could.
 */

import vm from 'node:vm';
import { codeOf } from '../../ipc/errors.ts';

const globals: { run?: () => void } = Object.create(null);
const context = vm.createContext(globals);
const script = new vm.Script('run()');

/** `late`: `action` was cut off after `ms`. What `action` throws passes through. Synchronous; costs about 0.1 ms. */
export function callBounded<T>(
  ms: number,
  action: () => T,
): { readonly kind: 'done'; readonly value: T } | { readonly kind: 'late' } {
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
