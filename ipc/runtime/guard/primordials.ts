// Runs in the plugin's thread.
/**
 * The language as it was before any plugin code: what the guard needs at the moment a plugin calls, captured while it is still
 * genuine. A plugin may replace `Map.prototype.get` or `Function.prototype.call`; the guard must not notice. So the rest of this
 * folder calls nothing on a prototype once the plugin runs: no iteration, no spread, no regular expressions, no array methods.
 */

export const {
  apply,
  construct,
  deleteProperty,
  get,
  has,
  defineProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  setPrototypeOf,
  ownKeys,
  preventExtensions,
} = Reflect;
export const { create, freeze } = Object;
export const PlainError = Error;
export const PlainTypeError = TypeError;
export const PlainRangeError = RangeError;
export const PlainProxy = Proxy;
/** The names `process` and `globalThis` can be given to something else. */
export const theProcess = process;
export const theGlobal = globalThis;
export const ObjectPrototype = Object.prototype;
export const isView: (value: unknown) => value is ArrayBufferView = ArrayBuffer.isView;
export const asNumber = Number;
export const { isArray } = Array;
export const { floor, ceil } = Math;

// biome-ignore lint/suspicious/noExplicitAny: a function of any kind, seen from outside
export type AnyFunction = (...args: any[]) => any;

/** `f.call(self, …)` as a plain function that no later change of `Function.prototype` reaches. */
function unbound<Self, Args extends unknown[], Result>(
  method: (this: Self, ...args: Args) => Result,
): (self: Self, ...args: Args) => Result {
  return (self, ...args) => apply(method, self, args);
}

export const stringSlice: (text: string, start: number, end?: number) => string = unbound(String.prototype.slice);
export const stringIndexOf: (text: string, part: string, from?: number) => number = unbound(String.prototype.indexOf);
export const stringLastIndexOf: (text: string, part: string) => number = unbound(String.prototype.lastIndexOf);
export const toLowerCase: (text: string) => string = unbound(String.prototype.toLowerCase);
export const numberToString: (value: number, radix?: number) => string = unbound(Number.prototype.toString);
const symbolDescription = getOwnPropertyDescriptor(Symbol.prototype, 'description')?.get as () => string | undefined;
export const descriptionOf = (key: PropertyKey): string | undefined =>
  typeof key === 'symbol' ? apply(symbolDescription, key, []) : undefined;
export const inherits: (prototype: object, value: object) => boolean = unbound(Object.prototype.isPrototypeOf);
export const promiseThen = unbound(
  Promise.prototype.then as (
    this: Promise<unknown>,
    onValue: (value: unknown) => unknown,
    onError?: (error: unknown) => unknown,
  ) => Promise<unknown>,
);

const OriginalPromise = Promise;
const { resolve, reject } = OriginalPromise;
export const resolved = <T>(value: T): Promise<T> => apply(resolve, OriginalPromise, [value]) as Promise<T>;
export const rejected = (error: unknown): Promise<never> => apply(reject, OriginalPromise, [error]);
export const newPromise = <T>(
  run: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> => new OriginalPromise(run);

/** Copies a collection's methods onto a prototype of its own that nobody else can reach or change. */
function makeSafe(Original: { prototype: object }, Safe: { prototype: object }): void {
  for (const key of ownKeys(Original.prototype)) {
    if (key === 'constructor' || key === Symbol.iterator) continue;
    const descriptor = getOwnPropertyDescriptor(Original.prototype, key) as PropertyDescriptor;
    defineProperty(Safe.prototype, key, { __proto__: null, ...descriptor } as PropertyDescriptor);
  }
  setPrototypeOf(Safe.prototype, null);
  freeze(Safe.prototype);
  freeze(Safe);
}

export class SafeMap<K, V> extends Map<K, V> {}
export class SafeSet<T> extends Set<T> {}
export class SafeWeakMap<K extends WeakKey, V> extends WeakMap<K, V> {}
export class SafeWeakSet<T extends WeakKey> extends WeakSet<T> {}
makeSafe(Map, SafeMap);
makeSafe(Set, SafeSet);
makeSafe(WeakMap, SafeWeakMap);
makeSafe(WeakSet, SafeWeakSet);

/** Instead of `for … of`, which asks Array.prototype how to go on. */
export function each<T>(list: readonly T[], visit: (item: T) => void): void {
  for (let index = 0; index < list.length; index += 1) visit(list[index] as T);
}
