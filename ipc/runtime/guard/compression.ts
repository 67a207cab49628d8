// Runs in the plugin's thread.
/**
 * node:zlib on its native handles, where everything that compresses comes by. A write is a job of the shared thread pool, so it waits
 * for its turn; brotli, which would work on one for half a minute, gets its input in pieces; and parameters that ask for gigabytes,
 * for minutes, or for threads beside the pool are lowered. The formats stay the same. The native code works on memory that no plugin
 * has: a buffer that is given away (transferred, resized) while a thread of the pool is at work in it would end the process.
 */

import { PARAMETERS, type Parameters } from './compression-costs.ts';
import type { Doors } from './doors.ts';
import type { Ending } from './ending.ts';
import { intercept, lock } from './lock.ts';
import type { Pool } from './pool.ts';
import {
  type AnyFunction,
  apply,
  construct,
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
/** Of any other input, between two looks at whether the thread is to end. Fast brotli makes one block of what it is given, up to this. */
const COPIED_BYTES = 4 * 1024 * 1024;
const Bytes = Uint8Array;
const Words = Uint32Array;
const { set: setBytes } = Bytes.prototype;
const NO_FLUSH = 0;
const DATA_ERROR = -3;
const sizeOf = (prototype: object): (() => number) =>
  getOwnPropertyDescriptor(prototype, 'byteLength')?.get as () => number;
const sizeOfArray = sizeOf(getPrototypeOf(Uint8Array.prototype) as object);
const sizeOfView = sizeOf(DataView.prototype);

/** One native handle. */
interface Engine {
  /** Room left in the output, and input left, after a write; and where Node's JavaScript reads it. */
  readonly state: Uint32Array;
  readonly givenState: Uint32Array;
  /** For the output, until it is copied to where it was wanted. */
  room: Uint8Array;
  roomGiven: number;
  /** What was copied of the input last. Node asks again with the same input for as long as its output is full. */
  copied: Copied;
  readonly callback: AnyFunction;
  readonly isInPieces: boolean;
  isClosed: boolean;
  job: Job | null;
  onError: unknown;
}

interface Copied {
  readonly input: unknown;
  readonly from: number;
  readonly end: number;
  readonly copy: unknown;
}

const NOTHING: Copied = { input: null, from: 0, end: 0, copy: null };

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
  readonly ending: Ending;
  /** Something of the network was granted: then Node itself uncompresses for the plugin, through no door. */
  readonly isGranted: boolean;
}

export function guardCompression({ refusals, doors, pool, ending, isGranted }: CompressionGuardOptions): void {
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
  const pieceOf = (job: Job, room: number, most: number): unknown[] => {
    const { input, from, left, output, outputEnd, flush } = job;
    const length = left > most ? most : left;
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
  const tell = ({ state, givenState }: Engine): void => {
    givenState[0] = state[0] as number;
    givenState[1] = state[1] as number;
  };
  const finish = (engine: Engine): void => {
    const { job } = engine;
    engine.job = null;
    // Else Node asks again with what is left of the same input; a later write may have other bytes in the same buffer.
    if (engine.state[0] !== 0 || engine.state[1] === 0) engine.copied = NOTHING;
    job?.end();
  };

  const guardHandle = (handle: object, parameters: Parameters): void => {
    const prototype = getPrototypeOf(handle) as object;
    const write = get(prototype, 'write') as AnyFunction;
    const step = (self: object, engine: Engine, room: number): void => {
      const job = engine.job as Job;
      const [flush, input, from, length] = pieceOf(job, room, copySize(engine, job));
      const copied = copyOf(engine, input, { from: from as number, length: length as number });
      if (copied === null) {
        // As if its data were at fault, which is how Node hears of an error.
        finish(engine);
        apply(get(self, 'onerror') as AnyFunction, self, ['the input was given away', DATA_ERROR, 'Z_DATA_ERROR']);
        return;
      }
      const { copy, from: start } = copied;
      if (engine.room.length < room) engine.room = new Bytes(room);
      engine.roomGiven = room;
      apply(write, self, [flush, copy, (from as number) - start, length, engine.room, 0, room]);
    };
    /** What the native code has written, to where the plugin wants it; nowhere, when that is gone. */
    const takeOutput = ({ state, room, roomGiven }: Engine, { output, outputEnd }: Job): void => {
      const written = roomGiven - (state[0] as number);
      if (written <= 0) return;
      try {
        apply(setBytes, windowOf(output as ArrayBufferView, outputEnd - roomGiven, written), [
          windowOf(room, 0, written),
        ]);
      } catch {
        // It was given away meanwhile.
      }
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
      const own = new Words(2);
      const room = { room: new Bytes(0), roomGiven: 0, copied: NOTHING };
      const engine: Engine = {
        ...{ state: own, givenState: state, callback, isInPieces, isClosed: false, job: null, onError: null },
        ...room,
      };
      engines.set(self as object, engine);
      args[at - 1] = own;
      args[at] = function (this: object): unknown {
        if (engine.job !== null) {
          takeOutput(engine, engine.job);
          if (goesOn(engine, engine.job)) return step(this, engine, own[0] as number);
        }
        tell(engine);
        finish(engine);
        return apply(callback, this, []);
      };
      const result = apply(original, self as object, args);
      ending.made();
      return result;
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
        apply(original, self as object, pieceOf(job, room, engine.isInPieces ? PIECE_BYTES : COPIED_BYTES));
        room = engine.state[0] as number;
      } while (goesOn(engine, job));
      tell(engine);
    });
    intercept(prototype, 'close', (original, self, args) => {
      const engine = engines.get(self as object);
      if (engine !== undefined) engine.isClosed = true;
      return apply(original, self as object, args);
    });
    intercept(prototype, 'reset', (original, self) => {
      idle(self).copied = NOTHING;
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

/** The bytes of a view from here on, so many. */
function windowOf(view: ArrayBufferView, from: number, length: number): Uint8Array {
  return construct(Bytes, [get(view, 'buffer'), (get(view, 'byteOffset') as number) + from, length]) as Uint8Array;
}

/** What is left of the last copy, or as much as is copied at once. */
function copySize({ copied, isInPieces }: Engine, { input, from }: Job): number {
  const held = copied.input === input && from >= copied.from ? copied.end - from : 0;
  const most = isInPieces ? PIECE_BYTES : COPIED_BYTES;
  return held > 0 && held < most ? held : most;
}

/** The input from here on, so many bytes, in memory that cannot be given away; copied unless it was copied already. Null: it is gone. */
function copyOf(engine: Engine, input: unknown, { from, length }: { from: number; length: number }): Copied | null {
  if (!isView(input)) return { input, from, end: from, copy: input };
  const { copied } = engine;
  if (copied.input === input && copied.from <= from && from + length <= copied.end) return copied;
  // Of a window a new array is a copy.
  try {
    const copy = construct(Bytes, [windowOf(input, from, length)]);
    engine.copied = { input, from, end: from + length, copy };
    return engine.copied;
  } catch {
    return null;
  }
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
