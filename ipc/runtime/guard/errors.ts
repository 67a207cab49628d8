// Runs in the plugin's thread.
/**
 * An uncaught error ends the generation, whatever handlers the plugin has put up, and the host hears of it as an Error of bounded
 * size. Node's own way of telling is used (the Worker's 'error' event), made safe first: every function on that way which a plugin
 * could have replaced is locked, and the error that takes it is one of ours.
 */

import { toWireError, type WireError } from '../../errors.ts';
import { lock, lockAccessor } from './lock.ts';
import {
  type AnyFunction,
  apply,
  create,
  defineProperty,
  freeze,
  PlainError,
  setPrototypeOf,
  stringSlice,
  theProcess,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';

const MESSAGE_LIMIT = 4_096;
const STACK_LIMIT = 8_192;
const SWALLOW = 'an uncaught error ends the plugin; catch it where it is thrown';

export interface ErrorGuardOptions {
  readonly refusals: Refusals;
  /** Sends the last log lines. */
  readonly flush: () => void;
  /** How a child process reports, and then ends itself; a worker's error reaches the host through Node. */
  readonly report: ((error: WireError) => void) | null;
}

export function guardErrors({ refusals, flush, report }: ErrorGuardOptions): void {
  const target = process as unknown as Record<string, AnyFunction>;
  const original = target._fatalException as AnyFunction;
  const reallyExit = target.reallyExit as AnyFunction;
  let emit = process.emit as AnyFunction;
  let ending: Error | null = null;
  const attempt = (step: () => void): void => {
    try {
      step();
    } catch {
      // A plugin's code took part in it (a getter, an exit handler). The end goes on.
    }
  };

  process.setUncaughtExceptionCaptureCallback(() => {
    // Thrown from here it is what Node reports, and no 'uncaughtException' listener is asked. What was reported counts as handled:
    // then Node tidies up after it, and the process lives until its words are written.
    if (report === null) throw ending;
  });
  for (const name of ['setUncaughtExceptionCaptureCallback', 'addUncaughtExceptionCaptureCallback']) {
    if (name in target) lock(target, name, refusals.refuse(`process.${name}`, SWALLOW));
  }
  // Stays assignable for libraries that hook it, and falls silent as the thread ends.
  lockAccessor(target, 'emit', {
    get: () => (ending === null ? emit : silent),
    set: (given) => {
      emit = given as AnyFunction;
    },
  });
  lockSerialisation();

  // C++ looks this up by name for each uncaught error and rejection; the plugin must find nothing to change.
  lock(target, '_fatalException', (error: unknown, fromPromise: unknown) => {
    if (ending !== null) apply(reallyExit, theProcess, [1]);
    let wire = UNREADABLE;
    attempt(() => {
      wire = boundedWire(error);
    });
    ending = boundedError(wire);
    attempt(flush);
    let isReported = false;
    if (report !== null) {
      attempt(() => {
        report(wire);
        isReported = true;
      });
    }
    attempt(() => apply(original, theProcess, [ending, fromPromise]));
    if (!isReported) apply(reallyExit, theProcess, [1]);
    return true;
  });
}

const UNREADABLE: WireError = {
  code: 'PLUGIN_ERR_THROWN',
  kind: 'plugin',
  name: 'Error',
  message: 'something that cannot be shown as text',
  stack: '',
};

function silent(): boolean {
  return false;
}

/** Node serialises the error through these public functions. */
function lockSerialisation(): void {
  for (const name of ['from', 'concat'] as const) lock(Buffer, name, Buffer[name]);
}

function boundedWire(error: unknown): WireError {
  const wire = toWireError(error, 'PLUGIN_ERR_THROWN');
  const cut = (text: unknown, limit: number): string => (typeof text === 'string' ? stringSlice(text, 0, limit) : '');
  return {
    code: cut(wire.code, 64),
    kind: wire.kind === 'user' || wire.kind === 'system' ? wire.kind : 'plugin',
    name: cut(wire.name, 64),
    message: cut(wire.message, MESSAGE_LIMIT),
    stack: cut(wire.stack, STACK_LIMIT),
  };
}

/** Serialising an error takes everything along its prototypes; here there is nothing along them. */
const PROTOTYPE = create(null) as object;
function plainError(): void {}
defineProperty(plainError, 'name', { value: 'Error' });
defineProperty(PROTOTYPE, 'constructor', { value: freeze(plainError) });
freeze(PROTOTYPE);

function boundedError(wire: WireError): Error {
  const error = new PlainError();
  const keys = ['name', 'message', 'stack', 'code', 'kind'] as const;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as keyof WireError;
    defineProperty(error, key, { __proto__: null, value: wire[key], configurable: true } as PropertyDescriptor);
  }
  setPrototypeOf(error, PROTOTYPE);
  return error;
}
