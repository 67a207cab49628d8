// Runs in the plugin's thread.
/**
 * fs.promises. Node's FileHandle reads `this.fd` at each call, so an object that only looks like a handle, or a handle with another
 * number planted in it, would reach the host's files. Handles made here have a number that cannot be changed; others are refused.
 */

import { intercept, lock, lockAccessor } from './lock.ts';
import type { HandleFile, OwnFiles } from './own-files.ts';
import {
  type AnyFunction,
  apply,
  descriptionOf,
  each,
  get,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  inherits,
  isView,
  ownKeys,
  promiseThen,
  rejected,
  SafeWeakMap,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';
import { checkMode, modeCheck } from './slips.ts';
import type { Turns } from './turns.ts';

const STRANGE = 'it was not opened by fs.promises.open in this thread';
/** They make a handle for themselves. */
const PASSING: readonly string[] = ['readFile', 'writeFile', 'appendFile', 'truncate', 'lchmod'];

const href = getOwnPropertyDescriptor(URL.prototype, 'href')?.get as AnyFunction;
const ignore = (): void => undefined;

export interface FileHandleOptions {
  readonly exports: Record<string, AnyFunction>;
  readonly own: OwnFiles;
  readonly turns: Turns;
  readonly refusals: Refusals;
}

export function guardFileHandles({ exports, own, turns, refusals }: FileHandleOptions): void {
  const known = new SafeWeakMap<object, HandleFile>();
  const byRaw = new SafeWeakMap<object, HandleFile>();
  const open = exports.open as AnyFunction;
  let prototype: object | null = null;

  const adopt = (handle: object): object => {
    const symbols = ownKeys(handle);
    let kHandle: PropertyKey = '';
    each(symbols, (key) => {
      if (descriptionOf(key) === 'kHandle') kHandle = key;
    });
    const raw = get(handle, kHandle) as { readonly fd: number };
    if (prototype === null) {
      prototype = getPrototypeOf(handle) as object;
      guardPrototype(prototype);
      guardRaw(getPrototypeOf(raw) as object);
    }
    const file: HandleFile = { file: raw.fd, isOpen: true };
    const number = { get: () => (file.isOpen ? file.file : -1) };
    each(symbols, (key) => {
      if (descriptionOf(key) !== 'kFd') return;
      lockAccessor(handle, key, {
        ...number,
        set: (given) => {
          if (given === -1) own.closeHandle(file);
        },
      });
    });
    lockAccessor(handle, 'fd', number);
    known.set(handle, file);
    byRaw.set(raw, file);
    own.addHandle(file);
    return handle;
  };
  const guardPrototype = (target: object): void => {
    each(ownKeys(target), (key) => {
      if (key === 'constructor' || key === 'fd' || key === 'getAsyncId') return;
      if (typeof key === 'symbol') {
        const isTransfer = descriptionOf(key) === 'messaging_transfer_symbol';
        lock(target, key, isTransfer ? refusals.refuse('a transferred FileHandle', STRANGE) : get(target, key));
        return;
      }
      intercept(target, key, (original, self, args) => {
        if (known.has(self as object)) {
          const fault = key === 'chmod' ? faultOf(() => checkMode(args[0])) : null;
          return fault ?? apply(original, self as object, args);
        }
        throw refusals.error('a FileHandle of its own making', STRANGE);
      });
    });
    lock(target, 'constructor', refusals.refuse('the constructor of FileHandle', STRANGE));
  };
  const guardRaw = (target: object): void => {
    each(['close', 'closeSync', 'releaseFD'], (name) => {
      intercept(target, name, (original, self, args) => {
        const file = byRaw.get(self as object);
        if (file !== undefined) own.closeHandle(file);
        return apply(original, self as object, args);
      });
    });
    lock(target, 'constructor', undefined);
  };
  /** What is neither a path nor a handle of ours could turn into a handle between two looks at it. */
  const isFile = (given: unknown): boolean => {
    if (typeof given !== 'object' || given === null || isView(given) || known.has(given)) return true;
    if (prototype !== null && inherits(prototype, given)) return false;
    try {
      apply(href, given, []);
      return true;
    } catch {
      return false;
    }
  };

  // The first handle is the runtime's own: by the time a plugin can have one, they are guarded.
  let isReady = false;
  const ready = promiseThen(apply(open, exports, [import.meta.filename]), (handle) => {
    adopt(handle as object);
    isReady = true;
    return apply(get(handle as object, 'close') as AnyFunction, handle as object, []);
  });
  void promiseThen(ready, ignore, ignore);
  const whenReady = (start: () => unknown): unknown => (isReady ? start() : promiseThen(ready, start));

  each(['chmod', 'mkdir'], (name) => {
    const check = modeCheck(name);
    intercept(
      exports,
      name,
      (original, self, args) => faultOf(() => check(args)) ?? apply(original, self as object, args),
    );
  });
  const checkOpen = modeCheck('open');
  intercept(exports, 'open', (original, self, args) => {
    const fault = faultOf(() => checkOpen(args));
    if (fault !== null) return fault;
    const full = own.full('open', args[0]);
    if (full !== null) return rejected(full);
    own.reserve(1);
    const done = (): void => own.reserve(-1);
    return promiseThen(
      whenReady(() => apply(original, self as object, args)) as Promise<object>,
      (handle) => {
        done();
        return adopt(handle as object);
      },
      (error) => {
        done();
        throw error;
      },
    );
  });
  each(PASSING, (name) => {
    const check = modeCheck(name);
    intercept(exports, name, (original, self, args) => {
      const fault = faultOf(() => check(args));
      if (fault !== null) return fault;
      if (!isFile(args[0])) return rejected(refusals.error('a FileHandle of its own making', STRANGE));
      return turns.promise(() => whenReady(() => apply(original, self as object, args)));
    });
  });
}

/** A rejection with what a check throws, or null. */
function faultOf(check: () => void): Promise<never> | null {
  try {
    check();
    return null;
  } catch (error) {
    return rejected(error);
  }
}
