// Runs in the plugin's thread.
/**
 * Memory that no heap limit sees: of shared memory there are a few cells and no more; WebAssembly is counted, and so are buffers that
 * reserve addresses to grow into, and calls that wait on stacks of their own. What a module declares inside itself is capped by the host's
 * --wasm-max-mem-pages alone; the host watches the size of each thread from outside.
 */

import { liveCount } from './live-count.ts';
import { intercept, lock, wrap, wrapConstructor } from './lock.ts';
import {
  type AnyFunction,
  apply,
  asNumber,
  construct,
  create,
  each,
  get,
  promiseThen,
  rejected,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';

/** 64 KiB each. */
const MAX_PAGES = 4_096;
/**
 * Alive at once, of each kind. Each memory takes gigabytes of address space, of which the process has some 16 000 times as much; each
 * buffer that can grow takes two of its 65 530 mappings.
 */
const MAX_OBJECTS = 1_024;
const MAX_RESERVED = 2 ** 32;

/** Calls of WebAssembly that wait for a promise: V8 gives each a stack of its own, and aborts the process when there is no room for one. */
const MAX_WAITING = 256;

/** Bytes made in all of a run: libraries wait on a cell of it (pino's sleep is one) and have nobody to share it with. */
const MAX_SHARED = 65_536;

const SHARED = 'memory that is shared between threads has no owner';

export function guardMemory(refusals: Refusals): void {
  let shared = 0;
  lock(
    globalThis,
    'SharedArrayBuffer',
    wrapConstructor(SharedArrayBuffer as never, (original, args, newTarget) => {
      const bytes = asNumber(args[0] ?? 0);
      const reserved = reservedBy(args);
      const most = reserved ?? bytes;
      // What is no size is refused by the constructor itself, or makes a buffer without bytes.
      const added = most > 0 ? most : 0;
      if (shared + added > MAX_SHARED) {
        throw refusals.error(`more than ${MAX_SHARED} bytes of SharedArrayBuffers`, SHARED);
      }
      const made = construct(original, reserved === null ? [bytes] : [bytes, { maxByteLength: reserved }], newTarget);
      shared += added;
      return made;
    }),
  );
  const count = liveCount(refusals, MAX_OBJECTS);
  lock(
    globalThis,
    'ArrayBuffer',
    wrapConstructor(ArrayBuffer as never, (original, args, newTarget) => {
      const reserved = reservedBy(args);
      if (reserved === null) return construct(original, [args[0]], newTarget);
      if (reserved > MAX_RESERVED) {
        throw refusals.error(
          `an ArrayBuffer that may grow to more than ${MAX_RESERVED} bytes`,
          'it would exceed what one plugin may hold',
        );
      }
      return count('ArrayBuffer that can grow', construct(original, [args[0], { maxByteLength: reserved }], newTarget));
    }),
  );
  const web = Reflect.get(globalThis, 'WebAssembly') as Record<string, never>;
  lock(
    web,
    'Memory',
    wrapConstructor(web.Memory as never, (original, args, newTarget) => {
      const descriptor = memoryDescriptor(args[0]);
      if (descriptor.shared) throw refusals.error('shared WebAssembly.Memory', SHARED);
      if (descriptor.initial > MAX_PAGES || descriptor.pages > MAX_PAGES) {
        throw refusals.error(
          `a WebAssembly.Memory of more than ${MAX_PAGES} pages`,
          'it would exceed what one plugin may hold',
        );
      }
      return count('WebAssembly.Memory', construct(original, [descriptor.plain], newTarget));
    }),
  );
  const Instance = web.Instance as never;
  lock(
    web,
    'Instance',
    wrapConstructor(Instance, (original, args, newTarget) =>
      count('WebAssembly.Instance', construct(original, args, newTarget)),
    ),
  );
  guardWaiting(web, refusals);
  each(['instantiate', 'instantiateStreaming'], (name) => {
    intercept(web, name, (original, self, args) => {
      try {
        count('WebAssembly.Instance', null);
      } catch (error) {
        return rejected(error);
      }
      return promiseThen(apply(original, self as object, args), (result) => {
        const { instance } = result as { instance?: object };
        count('WebAssembly.Instance', instance ?? (result as object));
        return result;
      });
    });
  });
}

/** `WebAssembly.promising` makes functions whose calls wait; while one does, it counts. */
function guardWaiting(web: object, refusals: Refusals): void {
  let waiting = 0;
  const over = (): void => {
    waiting -= 1;
  };
  intercept(web, 'promising', (original, self, args) =>
    wrap(apply(original, self as object, args) as AnyFunction, (call, receiver, given) => {
      if (waiting >= MAX_WAITING) {
        const what = `more than ${MAX_WAITING} calls of WebAssembly that wait`;
        return rejected(refusals.error(what, 'each has a stack, of which a process has not many'));
      }
      waiting += 1;
      let promise: Promise<unknown>;
      try {
        promise = apply(call, receiver as object, given) as Promise<unknown>;
      } catch (error) {
        over();
        throw error;
      }
      void promiseThen(promise, over, over);
      return promise;
    }),
  );
}

/** The bytes that a buffer may grow to, or null. Asked for once: a getter could say something else the second time. */
function reservedBy(args: readonly unknown[]): number | null {
  const options = args[1];
  const most: unknown = typeof options === 'object' && options !== null ? get(options, 'maxByteLength') : undefined;
  return most === undefined ? null : asNumber(most);
}

interface Descriptor {
  readonly shared: boolean;
  readonly initial: number;
  readonly pages: number;
  /** What was looked at and nothing else: getters are not asked twice. */
  readonly plain: unknown;
}

function memoryDescriptor(given: unknown): Descriptor {
  if (typeof given !== 'object' || given === null) return { shared: false, initial: 0, pages: 0, plain: given };
  const plain = create(null) as Record<string, unknown>;
  const read = (name: string): unknown => {
    const value: unknown = get(given, name);
    if (value !== undefined) plain[name] = value;
    return value;
  };
  const size = (name: string): number => {
    const value = read(name);
    if (value === undefined) return 0;
    const pages = asNumber(value as number);
    // A BigInt for 64-bit memories, a number else.
    plain[name] = typeof value === 'bigint' ? value : pages;
    return pages;
  };
  const initial = size('initial');
  const minimum = size('minimum');
  size('maximum');
  read('address');
  read('index');
  const shared = !!read('shared');
  return { shared, initial, pages: minimum, plain };
}
