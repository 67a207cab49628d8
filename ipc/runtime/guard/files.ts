// Runs in the plugin's thread.
/**
 * File descriptors belong to the process: number 7 may be a database of the host. A plugin may use those numbers alone that its
 * own thread opened, and only so many at once. Node's file system calls itself through the functions guarded here, so streams and
 * the like need no guard of their own.
 */

import { Readable } from 'node:stream';
import type { Doors } from './doors.ts';
import { guardFileHandles } from './file-handles.ts';
import { intercept, lock, lockAccessor, wrapConstructor } from './lock.ts';
import { fileError, NO_FILE, OwnFiles } from './own-files.ts';
import {
  type AnyFunction,
  apply,
  construct,
  each,
  floor,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  promiseThen,
  rejected,
  SafeWeakSet,
  theProcess,
} from './primordials.ts';
import { printer } from './printing.ts';
import type { Refusals } from './refusal.ts';
import { MODES_ALONE, modeCheck } from './slips.ts';
import type { StandardOutput } from './stdio.ts';
import { Turns } from './turns.ts';
import type { UseCount } from './use-count.ts';

/** They take a descriptor first, or a path. */
const BY_NUMBER: readonly string[] = [
  'fchmod',
  'fchown',
  'fdatasync',
  'fstat',
  'fsync',
  'ftruncate',
  'futimes',
  'read',
  'readv',
  'write',
  'writev',
].flatMap((name) => [name, `${name}Sync`]);
const BY_NUMBER_OR_PATH: readonly string[] = ['readFileSync', 'writeFileSync', 'appendFileSync'];
/** They open a file for as long as they run, all at once if asked to. */
const PASSING: readonly string[] = ['readFile', 'writeFile', 'appendFile'];

const { nextTick } = process;

export interface FileGuardOptions {
  readonly refusals: Refusals;
  readonly doors: Doors;
  /** What is written to the descriptors 1 and 2. */
  readonly output: StandardOutput;
  /** Files open at once. */
  readonly limit: number;
  readonly uses: UseCount;
}

export function guardFiles({ refusals, doors, output, limit, uses }: FileGuardOptions): void {
  const fs = process.getBuiltinModule('node:fs') as unknown as Record<string, AnyFunction>;
  const own = new OwnFiles(limit, refusals, uses);
  const turns = new Turns(Math.max(1, floor(limit / 2)));

  /** A number that is not its own becomes one that nobody has: the answer is an EBADF in the form of each function. */
  const owned = (args: unknown[]): boolean => {
    if (typeof args[0] !== 'number') return false;
    if (own.has(args[0])) return true;
    refusals.report('a file descriptor that it did not open', 'it may be a file of the host');
    args[0] = NO_FILE;
    return true;
  };
  /** A call that goes on in the background keeps its file from being closed under it. */
  const run = (original: AnyFunction, self: unknown, args: unknown[]): unknown => {
    const file = args[0] as number;
    const last = args.length - 1;
    const given = args[last];
    if (typeof given !== 'function') return apply(original, self as object, args);
    args[last] = function (this: unknown, ...results: unknown[]): unknown {
      own.use(file, -1);
      return apply(given as AnyFunction, this as object, results);
    };
    own.use(file, 1);
    try {
      return apply(original, self as object, args);
    } catch (error) {
      own.use(file, -1);
      throw error;
    }
  };
  const print = printer(own, output);
  each([...BY_NUMBER, ...BY_NUMBER_OR_PATH], (name) => {
    const printed = print(name);
    const check = modeCheck(name);
    intercept(fs, name, (original, self, args) => {
      const said = printed?.(args) ?? null;
      if (said !== null) return said.result;
      check(args);
      return owned(args) ? run(original, self, args) : apply(original, self as object, args);
    });
  });
  each(PASSING, (name) => {
    const printed = print(name);
    const check = modeCheck(name);
    intercept(fs, name, (original, self, args) => {
      const said = printed?.(args) ?? null;
      if (said !== null) return said.result;
      check(args);
      return owned(args) ? run(original, self, args) : turns.callback(original, self, args);
    });
  });
  each(['close', 'closeSync'], (name) => {
    intercept(fs, name, (original, self, args) => {
      const isOwn = owned(args) && args[0] !== NO_FILE;
      if (isOwn && own.isBusy(args[0] as number)) {
        const why = 'a read or write of this file is under way, close';
        throw fileError({ code: 'EBUSY', errno: -16, call: 'close', why });
      }
      // Before it is closed: from then on the number may be somebody else's.
      if (isOwn) own.forget(args[0] as number);
      try {
        return apply(original, self as object, args);
      } catch (error) {
        // Refused for its arguments: it is still open.
        if (isOwn && isArgumentError(error)) own.add(args[0] as number);
        throw error;
      }
    });
  });
  each(MODES_ALONE, (name) => {
    const check = modeCheck(name);
    each([name, `${name}Sync`], (either) => {
      intercept(fs, either, (original, self, args) => {
        check(args);
        return apply(original, self as object, args);
      });
    });
  });
  const checkOpen = modeCheck('open');
  intercept(fs, 'openSync', (original, self, args) => {
    checkOpen(args);
    own.room('open', args[0]);
    const file: unknown = apply(original, self as object, args);
    if (typeof file === 'number') own.add(file);
    return file;
  });
  intercept(fs, 'open', (original, self, args) => {
    checkOpen(args);
    const last = args.length - 1;
    const given = args[last];
    if (typeof given !== 'function') return apply(original, self as object, args);
    const full = own.full('open', args[0]);
    if (full !== null) return apply(nextTick, theProcess, [given, full]);
    own.reserve(1);
    args[last] = (error: unknown, file: unknown) => {
      own.reserve(-1);
      if (typeof file === 'number') own.add(file);
      return apply(given as AnyFunction, undefined, [error, file]);
    };
    try {
      return apply(original, self as object, args);
    } catch (error) {
      own.reserve(-1);
      throw error;
    }
  });
  each(['openAsBlob', 'openAsBlobSync'], (name) => {
    lock(
      fs,
      name,
      refusals.refuse(`fs.${name}`, 'its readers open files that nobody counts; readFile and new Blob do the same'),
    );
  });
  const folders = guardFolders(fs, own);

  const promises = getOwnPropertyDescriptor(fs, 'promises')?.get as AnyFunction;
  let isGuarded = false;
  const guarded = (): object => {
    const exports = apply(promises, fs, []) as Record<string, AnyFunction>;
    if (!isGuarded) {
      guardFileHandles({ exports, own, turns, refusals });
      folders(exports);
      isGuarded = true;
    }
    return exports;
  };
  lockAccessor(fs, 'promises', { get: guarded });
  doors.on(['fs/promises'], guarded);
  doors.on(['http2'], () => guardResponses(refusals));
}

/**
 * An http2 stream can answer with a descriptor, read where no guard sees it. The class is not public; the first stream of it is
 * met where every readable stream begins, before a plugin has it in hand.
 */
function guardResponses(refusals: Refusals): void {
  const streams = Readable as unknown as { ReadableState: AnyFunction };
  let isMet = false;
  const State = wrapConstructor(streams.ReadableState, (original, args, newTarget) => {
    const stream = args[1];
    const prototype = isMet || typeof stream !== 'object' || stream === null ? null : getPrototypeOf(stream);
    if (prototype !== null && getOwnPropertyDescriptor(prototype, 'respondWithFD') !== undefined) {
      isMet = true;
      lock(prototype, 'respondWithFD', refusals.refuse('http2 respondWithFD', 'respondWithFile takes a path'));
    }
    return construct(original, args, newTarget);
  });
  lock(streams, 'ReadableState', State);
}

/** An open folder is a descriptor as well. Returns what guards fs.promises in the same way. */
function guardFolders(fs: Record<string, AnyFunction>, own: OwnFiles): (promises: object) => void {
  const open = new SafeWeakSet<object>();
  const opened = (folder: unknown): void => {
    if (typeof folder !== 'object' || folder === null) return;
    open.add(folder);
    own.reserve(1);
  };
  intercept(fs, 'opendirSync', (original, self, args) => {
    own.room('opendir', args[0]);
    const folder: unknown = apply(original, self as object, args);
    opened(folder);
    return folder;
  });
  intercept(fs, 'opendir', (original, self, args) => {
    const last = args.length - 1;
    const given = args[last];
    if (typeof given !== 'function') return apply(original, self as object, args);
    const full = own.full('opendir', args[0]);
    if (full !== null) return apply(nextTick, theProcess, [given, full]);
    // While it is opened, and then until it is closed: many may be opened at once.
    own.reserve(1);
    args[last] = (error: unknown, folder: unknown) => {
      own.reserve(-1);
      opened(folder);
      return apply(given as AnyFunction, undefined, [error, folder]);
    };
    try {
      return apply(original, self as object, args);
    } catch (error) {
      own.reserve(-1);
      throw error;
    }
  });
  each(['close', 'closeSync'], (name) => {
    intercept(fs.Dir?.prototype as object, name, (original, self, args) => {
      if (open.delete(self as object)) own.reserve(-1);
      return apply(original, self as object, args);
    });
  });
  return (promises) => {
    intercept(promises, 'opendir', (original, self, args) => {
      const full = own.full('opendir', args[0]);
      if (full !== null) return rejected(full);
      // While it is opened, and then until it is closed.
      own.reserve(1);
      const settle = (folder: unknown): unknown => {
        own.reserve(-1);
        opened(folder);
        return folder;
      };
      const fail = (error: unknown): never => {
        own.reserve(-1);
        throw error;
      };
      return promiseThen(apply(original, self as object, args) as Promise<unknown>, settle, fail);
    });
  };
}

function isArgumentError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_INVALID_CALLBACK';
}
