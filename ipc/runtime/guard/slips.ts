// Runs in the plugin's thread.
/**
 * Arguments that Node's JavaScript lets pass and its native code does not: there an assertion ends the whole process. They come about by
 * mistake (an encoding where an end is expected, a mode of 32 bits, minus zero), so each becomes what was meant, or an error.
 */

import type { Doors } from './doors.ts';
import { intercept, lock, lockInherited, wrap } from './lock.ts';
import {
  type AnyFunction,
  apply,
  asNumber,
  create,
  defineProperty,
  each,
  get,
  isView,
  PlainRangeError,
  PlainTypeError,
} from './primordials.ts';

type Options = Record<string, unknown>;

/** Native code takes these numbers as signed ones of 32 bits. */
export const LIMIT = 2 ** 31;
/** Where a mode is among the arguments, itself or in options: of the functions of `node:fs` with and without Sync, and of its promises. */
const MODE_AT: Readonly<Record<string, number>> = {
  appendFile: 2,
  chmod: 1,
  fchmod: 1,
  lchmod: 1,
  mkdir: 1,
  open: 2,
  writeFile: 2,
};
/** The guard of files checks the modes of the others. */
export const MODES_ALONE: readonly string[] = ['chmod', 'lchmod', 'mkdir'];

/** Returns what checks the mode among a function's arguments; it may change them, and throws for a mode that is none. */
export function modeCheck(name: string): (args: unknown[]) => void {
  const at = MODE_AT[name.endsWith('Sync') ? name.slice(0, -'Sync'.length) : name];
  if (at === undefined) return () => undefined;
  return (args) => {
    const given = args[at];
    if (typeof given !== 'object' || given === null) checkMode(given);
    else {
      const options = readAgain(given);
      checkMode(options.mode);
      args[at] = options;
    }
  };
}

/** A number, or an octal text. */
export function checkMode(mode: unknown): void {
  const value = typeof mode === 'string' ? asNumber(`0o${mode}`) : mode;
  if (typeof value === 'number' && value >= LIMIT) throw outOfRange('mode', value);
}

export function guardSlips(doors: Doors): void {
  guardSearch();
  guardScopes();
  doors.on(['os'], (os) => intercept(os, 'getPriority', withoutMinus));
  doors.on(['crypto'], (crypto) => {
    each(['Cipheriv', 'Decipheriv'], (name) => {
      intercept(get(crypto[name] as object, 'prototype') as object, 'setAAD', (original, self, args) => {
        if (typeof args[1] === 'object' && args[1] !== null) {
          const options = readAgain(args[1]);
          const { plaintextLength: length } = options;
          if (typeof length === 'number' && length >= LIMIT) throw outOfRange('options.plaintextLength', length);
          args[1] = options;
        }
        return apply(original, self as object, args);
      });
    });
    each(['Hash', 'Hmac', 'Cipheriv', 'Decipheriv'], (name) =>
      guardChunks(get(crypto[name] as object, 'prototype') as object),
    );
    each(['Sign', 'Verify'], (name) => {
      const method = name === 'Sign' ? 'sign' : 'verify';
      intercept(get(crypto[name] as object, 'prototype') as object, method, (original, self, args) => {
        const given = args[0] as Options | null;
        if (
          typeof given === 'object' &&
          given !== null &&
          (isMinusZero(given.padding) || isMinusZero(given.saltLength))
        ) {
          const options = readAgain(given);
          each(['padding', 'saltLength'], (key) => {
            if (options[key] === 0) options[key] = 0;
          });
          args[0] = options;
        }
        return apply(original, self as object, args);
      });
    });
  });
}

/** Of a stream in object mode a chunk may be anything. */
function guardChunks(prototype: object): void {
  const transform = wrap(get(prototype, '_transform') as AnyFunction, (original, self, args) => {
    if (typeof args[0] === 'string' || isView(args[0])) return apply(original, self as object, args);
    const text = 'The "chunk" argument must be of type string or an instance of Buffer, TypedArray, or DataView';
    const error = coded(new PlainTypeError(text), 'ERR_INVALID_ARG_TYPE');
    if (typeof args[2] === 'function') return apply(args[2] as AnyFunction, undefined, [error]);
    throw error;
  });
  lockInherited(prototype, '_transform', transform);
}

/** `buffer.indexOf(value, offset, end, encoding)`: all but the last may be left out, and what is no end counts as one. */
function guardSearch(): void {
  const prototype = Buffer.prototype as unknown as Record<string, AnyFunction>;
  const soundEnd = (end: unknown): unknown =>
    end === undefined || typeof end === 'number' || typeof end === 'string'
      ? end
      : end === null
        ? undefined
        : asNumber(end);
  const { indexOf, lastIndexOf, includes } = prototype as Record<'indexOf' | 'lastIndexOf' | 'includes', AnyFunction>;
  // Functions, not proxies: parsers search in every chunk.
  const guarded = {
    indexOf(value: unknown, offset: unknown, end: unknown, encoding: unknown): unknown {
      return apply(indexOf, this, [value, offset, soundEnd(end), encoding]);
    },
    lastIndexOf(value: unknown, offset: unknown, end: unknown, encoding: unknown): unknown {
      return apply(lastIndexOf, this, [value, offset, soundEnd(end), encoding]);
    },
    includes(value: unknown, offset: unknown, end: unknown, encoding: unknown): unknown {
      return apply(includes, this, [value, offset, soundEnd(end), encoding]);
    },
  };
  each(['indexOf', 'lastIndexOf', 'includes'] as const, (name) => lock(prototype, name, guarded[name]));
}

/** What only looks like an AsyncResource (one whose constructor never ran) has no number, and Node's stack of them would not add up. */
function guardScopes(): void {
  const { prototype } = process.getBuiltinModule('node:async_hooks').AsyncResource;
  const { asyncId, runInAsyncScope } = prototype as unknown as Record<'asyncId' | 'runInAsyncScope', AnyFunction>;
  const guarded = wrap(runInAsyncScope, (original, self, args) => {
    const id: unknown = apply(asyncId, self as object, []);
    if (typeof id === 'number' && id >= 0) return apply(original, self as object, args);
    throw coded(new PlainTypeError('Value of "this" must be of type AsyncResource'), 'ERR_INVALID_THIS');
  });
  lockInherited(prototype, 'runInAsyncScope', guarded);
}

/** Minus zero is no integer to native code. */
export function withoutMinus(original: AnyFunction, self: unknown, args: unknown[]): unknown {
  if (args[0] === 0) args[0] = 0;
  return apply(original, self as object, args);
}

function isMinusZero(value: unknown): boolean {
  return value === 0 && 1 / (value as number) < 0;
}

/** A copy as Node would make one: a getter could say something else the second time. */
export function readAgain(given: object): Options {
  const copy = create(null) as Options;
  for (const key in given) copy[key] = get(given, key);
  return copy;
}

export function outOfRange(name: string, value: number): Error {
  const text = `The value of "${name}" is out of range. It must be < ${LIMIT}. Received ${value}`;
  return coded(new PlainRangeError(text), 'ERR_OUT_OF_RANGE');
}

/** Codes as Node has them. */
export function coded(error: Error, code: string): Error {
  defineProperty(error, 'code', { __proto__: null, value: code, enumerable: true } as PropertyDescriptor);
  return error;
}
