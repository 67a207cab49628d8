// Runs in the plugin's thread.
/** How something is taken away: a property that cannot be changed back, and a function in front of another that looks like it. */

import {
  type AnyFunction,
  apply,
  construct,
  defineProperty,
  get,
  getOwnPropertyDescriptor,
  PlainError,
  PlainProxy,
  PlainTypeError,
} from './primordials.ts';

/** Replaces a property for good. Throws when it cannot: a guard with a hole must not start a plugin. */
export function lock(target: object, key: PropertyKey, value: unknown): void {
  const enumerable = getOwnPropertyDescriptor(target, key)?.enumerable ?? false;
  define(target, key, { value, writable: false, enumerable, configurable: false });
}

/** As `lock`, with a getter; without a setter an assignment throws in strict mode, so most callers give one. */
export function lockAccessor(
  target: object,
  key: PropertyKey,
  accessor: { get(this: unknown): unknown; set?: (this: unknown, value: unknown) => void },
): void {
  const enumerable = getOwnPropertyDescriptor(target, key)?.enumerable ?? false;
  define(target, key, {
    get: accessor.get,
    ...(accessor.set !== undefined && { set: accessor.set }),
    enumerable,
    configurable: false,
  });
}

/** Takes a function away. What a plugin assigns in its place is what it finds there (graceful-fs wraps process.chdir); the original is gone. */
export function takeAway(target: object, key: PropertyKey, refuse: () => never): void {
  let value: unknown = refuse;
  lockAccessor(target, key, {
    get: () => value,
    set: (given) => {
      value = given;
    },
  });
}

/**
 * Locks a method of a prototype that ordinary code inherits from. A plain read-only property would make `child.method = …` throw
 * in strict mode; here such an assignment gives the child a property of its own, as ever.
 */
export function lockInherited(prototype: object, key: PropertyKey, value: unknown = get(prototype, key)): void {
  lockAccessor(prototype, key, {
    get: () => value,
    set(given) {
      if (this === prototype) throw new PlainTypeError(`cannot assign to read only property '${key as string}'`);
      define(this as object, key, { value: given, writable: true, enumerable: true, configurable: true });
    },
  });
}

function define(target: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
  // Without a prototype: a `get` planted on Object.prototype must not become part of it.
  if (!defineProperty(target, key, { __proto__: null, ...descriptor } as PropertyDescriptor)) {
    throw new PlainError(`the plugin's thread cannot be guarded: '${key as string}' cannot be redefined`);
  }
}

/** What runs instead of a function: it is given the original, `this`, and arguments that are its own to change. */
export type Instead = (original: AnyFunction, self: unknown, args: unknown[]) => unknown;

/**
 * A proxy, not a function: name, length and symbol properties (util.promisify looks for some) stay those of the original, and so
 * does `instanceof` for constructors.
 */
export function wrap<F extends AnyFunction>(original: F, instead: Instead): F {
  return new PlainProxy(original, {
    __proto__: null,
    apply: (target, self, args) => instead(target, self, args),
  } as ProxyHandler<F>);
}

/** Puts `instead` in front of a method. A method that this version of Node does not have is left absent. */
export function intercept(target: object, key: PropertyKey, instead: Instead): void {
  const original: unknown = get(target, key);
  if (typeof original === 'function') lock(target, key, wrap(original as AnyFunction, instead));
}

export type Build = (original: AnyFunction, args: unknown[], newTarget: AnyFunction) => object;

/** A constructor that asks first. `prototype.constructor` leads to it as well, so that no instance leads to the original. */
export function wrapConstructor<F extends AnyFunction>(original: F, build: Build, call?: Instead): F {
  const proxy = new PlainProxy(original, {
    __proto__: null,
    construct: (target, args, newTarget) => build(target, args, newTarget as AnyFunction),
    apply: (target, self, args) =>
      call === undefined ? apply(target, self as object, args) : call(target, self, args),
  } as ProxyHandler<F>);
  if (typeof original.prototype === 'object') lock(original.prototype, 'constructor', proxy);
  return proxy;
}

export const constructAs: Build = (original, args, newTarget) => construct(original, args, newTarget);
