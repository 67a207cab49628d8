// Runs in the plugin's thread.
/**
 * node:zlib on its native handles, where everything that compresses comes by. A write is a job of the shared thread pool, so it waits
 * for its turn; brotli, which would work on one for half a minute, gets its input in pieces; and parameters that ask for gigabytes,
 * for minutes, or for threads beside the pool are lowered. The formats stay the same.
 */

import { PARAMETERS, type Parameters } from './compression-costs.ts';
import type { Doors } from './doors.ts';
import { intercept, lock } from './lock.ts';
import type { Pool } from './pool.ts';
import {
  type AnyFunction,
  apply,
  each,
  get,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  isView,
  SafeWeakMap,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';

/** Of brotli's input: at its slowest about half a second. */
const PIECE_BYTES = 256 * 1024;
const NO_FLUSH = 0;
const sizeOf = (prototype: object): (() => number) =>
  getOwnPropertyDescriptor(prototype, 'byteLength')?.get as () => number;
const sizeOfArray = sizeOf(getPrototypeOf(Uint8Array.prototype) as object);
const sizeOfView = sizeOf(DataView.prototype);

/** One native handle. */
interface Engine {
  /** Room left in the output, and input left, after a write. */
  readonly state: Uint32Array;
  readonly callback: AnyFunction;
  readonly isInPieces: boolean;
  isClosed: boolean;
  job: Job | null;
  onError: unknown;
}

interface Job {
  readonly flush: number;
  readonly input: unknown;
  from: number;
  left: number;
  readonly output: unknown;
  readonly outputEnd: number;
  end: () => void;
}

export interface CompressionGuardOptions {
  readonly refusals: Refusals;
  readonly doors: Doors;
  readonly pool: Pool;
  /** Something of the network was granted: then Node itself uncompresses for the plugin, through no door. */
  readonly isGranted: boolean;
}

export function guardCompression({ refusals, doors, pool, isGranted }: CompressionGuardOptions): void {
  const engines = new SafeWeakMap<object, Engine>();
  const strange = (): Error =>
    refusals.error('a native handle of zlib', 'called in a way that Node never does it would abort the process');

  /** Node's own calls pass; a wrong one would meet an assertion in C++. */
  const idle = (self: unknown): Engine => {
    const engine = engines.get(self as object);
    if (engine === undefined || engine.isClosed || engine.job !== null) throw strange();
    return engine;
  };
  const jobOf = ([flush, input, from, length, output, outputFrom, outputLength]: unknown[]): Job => {
    const isSound =
      typeof flush === 'number' &&
      (input === null || input === undefined || hasRoom(input, from, length)) &&
      hasRoom(output, outputFrom, outputLength);
    if (!isSound) throw strange();
    const outputEnd = (outputFrom as number) + (outputLength as number);
    return { flush, input, from: from as number, left: length as number, output, outputEnd, end: () => undefined };
  };
  /** The next piece of the job, or all of it. */
  const pieceOf = ({ isInPieces }: Engine, job: Job, room: number): unknown[] => {
    const { input, from, left, output, outputEnd, flush } = job;
    const length = isInPieces && left > PIECE_BYTES ? PIECE_BYTES : left;
    job.from += length;
    job.left -= length;
    return [job.left > 0 ? NO_FLUSH : flush, input, from, length, output, outputEnd - room, room];
  };
  /** True when the next piece is to follow; else what is left of the input counts as left. */
  const goesOn = ({ state, isClosed }: Engine, job: Job): boolean => {
    if (job.left === 0) return false;
    if (!isClosed && state[1] === 0 && (state[0] as number) > 0) return true;
    state[1] = (state[1] as number) + job.left;
    return false;
  };
  const finish = (engine: Engine): void => {
    const { job } = engine;
    engine.job = null;
    job?.end();
  };

  const guardHandle = (handle: object, parameters: Parameters): void => {
    const prototype = getPrototypeOf(handle) as object;
    const write = get(prototype, 'write') as AnyFunction;
    const step = (self: object, engine: Engine, room: number): void => {
      apply(write, self, pieceOf(engine, engine.job as Job, room));
    };
    intercept(prototype, 'init', (original, self, args) => {
      const at = parameters.callbackAt;
      const callback = args[at] as AnyFunction;
      const state = args[at - 1] as Uint32Array;
      if (engines.has(self as object) || typeof callback !== 'function' || !hasRoom(state, 0, 8)) throw strange();
      if (!parameters.areSound(args)) throw strange();
      parameters.lower(args[0], (what, most) =>
        refusals.report(what, `${most} is taken: more would be at the cost of all plugins`),
      );
      const isInPieces = parameters.isSlow(args[0]);
      const engine: Engine = { state, callback, isInPieces, isClosed: false, job: null, onError: null };
      engines.set(self as object, engine);
      args[at] = function (this: object): unknown {
        if (engine.job !== null && goesOn(engine, engine.job)) return step(this, engine, state[0] as number);
        finish(engine);
        return apply(callback, this, []);
      };
      return apply(original, self as object, args);
    });
    /** Instead of the callback. */
    const heedErrors = (self: { onerror?: unknown }, engine: Engine): void => {
      const given = self.onerror as AnyFunction;
      if (given === engine.onError) return;
      engine.onError = function (this: object, ...what: unknown[]): unknown {
        finish(engine);
        return apply(given, this, what);
      };
      self.onerror = engine.onError;
    };
    intercept(prototype, 'write', (_original, self, args) => {
      const engine = idle(self);
      const job = jobOf(args);
      engine.job = job;
      pool.take((end) => {
        job.end = end;
        // Closed while it waited: told as if it had been under way.
        if (engine.isClosed) {
          finish(engine);
          apply(engine.callback, self as object, []);
          return;
        }
        heedErrors(self as object, engine);
        step(self as object, engine, args[6] as number);
      });
    });
    intercept(prototype, 'writeSync', (original, self, args) => {
      const engine = idle(self);
      const job = jobOf(args);
      let room = args[6] as number;
      do {
        apply(original, self as object, pieceOf(engine, job, room));
        room = engine.state[0] as number;
      } while (goesOn(engine, job));
    });
    intercept(prototype, 'close', (original, self, args) => {
      const engine = engines.get(self as object);
      if (engine !== undefined) engine.isClosed = true;
      return apply(original, self as object, args);
    });
    intercept(prototype, 'reset', (original, self) => {
      idle(self);
      return apply(original, self as object, []);
    });
    intercept(prototype, 'params', (original, self, args) => {
      idle(self);
      if (args.length !== 2 || typeof args[0] !== 'number' || typeof args[1] !== 'number') throw strange();
      return apply(original, self as object, args);
    });
    lock(prototype, 'constructor', undefined);
  };

  doors.on(['zlib', 'stream/web'], (zlib) => {
    each(PARAMETERS, (parameters) => {
      const stream = (zlib[parameters.maker] as AnyFunction)() as { _handle: object; close(): void };
      const { _handle: handle } = stream;
      stream.close();
      guardHandle(handle, parameters);
    });
  });
  each(['CompressionStream', 'DecompressionStream'], (name) => doors.lazyClass(name, 'stream/web', (web) => web[name]));
  if (isGranted) doors.open('zlib');
}

function hasRoom(view: unknown, from: unknown, length: unknown): boolean {
  if (!isView(view) || typeof from !== 'number' || typeof length !== 'number' || !(from >= 0 && length >= 0))
    return false;
  return from + length <= byteLength(view);
}

function byteLength(view: ArrayBufferView): number {
  try {
    return apply(sizeOfArray, view, []) as number;
  } catch {
    return apply(sizeOfView, view, []) as number;
  }
}
