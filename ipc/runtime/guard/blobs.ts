// Runs in the plugin's thread.
/**
 * Blobs. One that is made of another keeps it, and Node looks through them by recursion, in C++: some thousands inside each other end the
 * process with a fault when they are read or dropped. `blob = new Blob([blob, chunk])` makes such a nest, so it may be only so deep.
 */

import { intercept, lock, lockInherited } from './lock.ts';
import {
  type AnyFunction,
  apply,
  construct,
  create,
  defineProperty,
  get,
  PlainProxy,
  SafeWeakMap,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';

/** Of 1 000 inside each other a read takes most of a second, of 10 000 it ends the process. */
const MOST = 1_000;
const { iterator } = Symbol;

interface Step {
  readonly done?: unknown;
  readonly value?: unknown;
}

export function guardBlobs(refusals: Refusals): void {
  const depths = new SafeWeakMap<object, number>();
  const depthOf = (part: unknown): number => (typeof part === 'object' && part !== null ? (depths.get(part) ?? 0) : 0);
  const own = (key: PropertyKey, value: unknown): object => {
    const object = create(null) as object;
    defineProperty(object, key, { __proto__: null, value } as PropertyDescriptor);
    return object;
  };
  /** The same parts, one after the other; `see` is shown each of them as it is taken. */
  const watched = (parts: unknown, see: (part: unknown) => void): unknown => {
    if (typeof parts !== 'object' || parts === null) return parts;
    const start: unknown = get(parts, iterator);
    if (typeof start !== 'function') return parts;
    return own(iterator, () => {
      const source = apply(start as AnyFunction, parts, []) as object;
      const next = get(source, 'next') as AnyFunction;
      return own('next', () => {
        const step = apply(next, source, []) as Step;
        if (!step.done) see(step.value);
        return step;
      });
    });
  };
  const build = (target: AnyFunction, args: unknown[], newTarget: AnyFunction): object => {
    let depth = 0;
    const see = (part: unknown): void => {
      const inside = depthOf(part);
      if (inside >= MOST) {
        const why = 'to read it would end the process; keep the parts in a list and make one Blob of them';
        throw refusals.error(`more than ${MOST} Blobs inside each other`, why);
      }
      if (inside >= depth) depth = inside + 1;
    };
    if (args.length > 0) args[0] = watched(args[0], see);
    const made = construct(target, args, newTarget);
    depths.set(made, depth);
    return made;
  };
  const exports = process.getBuiltinModule('node:buffer') as unknown as Record<string, AnyFunction>;
  const { prototype } = Blob;
  for (const name of ['Blob', 'File']) {
    const original = exports[name] as AnyFunction;
    const wrapped = new PlainProxy(original, { __proto__: null, construct: build } as ProxyHandler<AnyFunction>);
    // Node gives what it makes itself a constructor of its own.
    lockInherited(original.prototype as object, 'constructor', wrapped);
    lock(exports, name, wrapped);
    lock(globalThis, name, wrapped);
  }
  intercept(prototype, 'slice', (original, self, args) => {
    const slice = apply(original, self as object, args) as object;
    depths.set(slice, depthOf(self));
    defineProperty(slice, 'constructor', {
      __proto__: null,
      value: get(prototype, 'constructor'),
    } as PropertyDescriptor);
    return slice;
  });
}
