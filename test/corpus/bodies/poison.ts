/** Plugins that spoil the language for whoever shares their thread: one builtin each, and then they emit, log and go on. */

import { type Body, group } from '../body.ts';

/** It spoils its own thread at most: the run goes on, or ends for a reason that says so. */
const OWN = ['stays', 'recycled:crash', 'recycled:protocol', 'recycled:unhealthy', 'recycled:hang'] as const;

export const POISON: readonly Body[] = group('escape', OWN, [
  [
    'poison-iterators',
    'makes every iteration of an array endless',
    (w) => {
      Array.prototype[Symbol.iterator] = function* endless() {
        for (let n = 0; ; n += 1) yield n;
      } as never;
      w.beat();
      w.every(50, () => void w.ctx.emitMany([w.event(1)]).catch(() => undefined));
    },
    { expect: [...OWN, 'recycled:flood', 'recycled:leak', 'recycled:out_of_memory'] },
  ],
  [
    'poison-then',
    'makes promises that never settle',
    (w) => {
      // biome-ignore lint/suspicious/noThenProperty: it is what this body does
      Promise.prototype.then = () => new Promise(() => undefined) as never;
      Promise.prototype.catch = () => undefined as never;
      Promise.resolve = () => ({}) as never;
      Promise.withResolvers = () => ({ promise: 1, resolve: 2, reject: 3 }) as never;
      w.beat();
    },
  ],
  [
    'poison-collections',
    'makes collections say what is not so',
    (w) => {
      for (const { prototype } of [Map, Set, WeakMap, WeakSet]) {
        Object.assign(prototype, { get: () => undefined, has: () => true, set: () => null, add: () => null });
        Object.assign(prototype, { delete: () => false, forEach: () => undefined });
      }
      w.every(50, (n) => {
        void w.ctx.emit(w.event(n)).catch(() => undefined);
        w.ctx.log.info(`line ${n}`, { n });
        w.ctx.metrics.counter({ name: `count_${n}`, help: 'h' }).inc();
      });
    },
  ],
  [
    'poison-calls',
    'makes every call of a function through call, apply and bind throw',
    (w) => {
      const broken = (): never => {
        throw new TypeError('nobody is called here');
      };
      Object.assign(Function.prototype, { call: broken, apply: broken, bind: broken });
      Reflect.apply = broken;
      Reflect.construct = broken;
      Reflect.get = broken;
      Reflect.ownKeys = broken;
      w.beat();
    },
  ],
  [
    'poison-json-lines',
    'writes lines of JSON that are several, or none',
    (w) => {
      const texts = ['{}\n{}\n{}', '', '\n\n\n', '{"resourceName":', '[1]', 'null', '"x"', '\u2028{}', '{}{}'];
      let n = 0;
      JSON.stringify = () => {
        n += 1;
        return texts[n % texts.length] as string;
      };
      w.beat();
      w.every(20, (i) => w.ctx.log.info('fields', { i }));
    },
    { expect: ['stays'] },
  ],
  [
    'poison-json-size',
    'writes lines of JSON of 50 MB',
    (w) => {
      const text = `{"resourceName":"r","message":"${'x'.repeat(50 * 1024 * 1024)}"}`;
      JSON.stringify = () => text;
      w.every(20, (i) => {
        void w.ctx.emit(w.event(i)).catch(() => undefined);
        w.ctx.log.info('fields', { i });
      });
    },
    { expect: ['stays'] },
  ],
  [
    'poison-json-depth',
    'writes lines of JSON that are a million lists deep, or have the keys that objects are made of',
    (w) => {
      const deep = `{"resourceName":"r","message":"m","metadata":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
      const own = '{"resourceName":"r","message":"m","metadata":{"__proto__":{"x":1},"constructor":{"prototype":{}}}}';
      let n = 0;
      JSON.stringify = () => {
        n += 1;
        return n % 2 === 0 ? deep : own;
      };
      w.every(20, (i) => void w.ctx.emit(w.event(i)).catch(() => undefined));
    },
    { expect: ['stays'] },
  ],
  [
    'poison-stack',
    'writes a stack that never ends as it fails',
    () => {
      Error.prepareStackTrace = () => {
        for (;;);
      };
      setTimeout(() => {
        throw new Error('with a stack that never ends');
      }, 1);
    },
    { expect: ['recycled:hang', 'recycled:crash'] },
  ],
  [
    'poison-errors',
    'makes errors that are none, with stacks of a million frames',
    (w) => {
      Error.stackTraceLimit = 1e9;
      Error.captureStackTrace = () => {
        throw new Error('no capture');
      };
      Error.prepareStackTrace = (error) => error;
      Object.defineProperty(Error, Symbol.hasInstance, { value: () => true });
      Object.defineProperty(TypeError.prototype, 'message', { get: () => ({ toString: () => 1 }) });
      globalThis.Error = class {} as never;
      globalThis.TypeError = 1 as never;
      w.every(20, (n) => {
        void w.ctx.emit({ type: 5, resourceName: n } as never).catch(() => undefined);
        w.ctx.log.info('fields', { n });
      });
      setTimeout(() => {
        throw { message: 'at last' };
      }, 1_000);
    },
    { expect: ['recycled:crash'] },
  ],
  [
    'poison-clocks',
    'makes time run backwards, stand still and be no number',
    (w) => {
      let at = 1e15;
      Date.now = () => -1;
      Date.prototype.toISOString = () => 'some day\n';
      performance.now = () => (at -= 1e9);
      process.hrtime = Object.assign(() => [0, 0] as [number, number], { bigint: () => 0n });
      const every = w.every;
      globalThis.setTimeout = ((deed: () => void) => deed()) as never;
      globalThis.setInterval = (() => 1) as never;
      globalThis.clearTimeout = (() => 1) as never;
      every(20, (n) => {
        void w.ctx.emit(w.event(n)).catch(() => undefined);
        w.ctx.log.info(`line ${n}`);
      });
    },
  ],
  [
    'poison-texts',
    'makes texts and numbers say what is not so',
    (w) => {
      Object.assign(String.prototype, { slice: () => 'x'.repeat(1_000_000), indexOf: () => -1, charCodeAt: () => 0 });
      Object.assign(String.prototype, { startsWith: () => true, endsWith: () => true, toString: () => 1 });
      Object.assign(Number, { isFinite: () => true, isInteger: () => true, isSafeInteger: () => true });
      Object.assign(Math, { min: () => Number.NaN, max: () => Number.NaN, floor: () => Number.NaN });
      String.fromCharCode = () => '\u0000\u0000';
      Buffer.byteLength = () => 0;
      w.every(20, (n) => {
        void w.ctx.emit({ ...w.event(n), message: 'x'.repeat(200_000) }).catch(() => undefined);
        w.ctx.log.info(`line ${n} ${'x'.repeat(100_000)}`, { n });
      });
    },
    { expect: [...OWN, 'recycled:flood', 'recycled:leak'] },
  ],
  [
    'poison-arrays',
    'makes arrays grow, shrink and forget as they are used',
    (w) => {
      const { apply } = Reflect;
      const { map } = Array.prototype;
      Object.assign(Array.prototype, { push: () => 0, splice: () => [], forEach: () => undefined, find: () => ({}) });
      Object.assign(Array.prototype, { join: () => '\n'.repeat(1_000), slice: () => [1, 2, 3] });
      Array.prototype.map = function twice(this: unknown[], deed: never) {
        return [...apply(map, this, [deed]), ...apply(map, this, [deed])];
      } as never;
      Array.from = () => new Array(1e6).fill(null) as never;
      Object.defineProperty(Array, Symbol.species, { value: class extends Array {} });
      for (const index of [0, 1, 2]) Object.defineProperty(Array.prototype, index, { get: () => 'planted', set() {} });
      w.every(20, (n) => {
        void w.ctx.emit(w.event(n)).catch(() => undefined);
        w.ctx.log.info(`line ${n}`, { n });
      });
    },
  ],
  [
    'poison-globals',
    'deletes every global that can be deleted, and freezes what is left',
    (w) => {
      const { every } = w;
      for (const key of Reflect.ownKeys(globalThis)) {
        try {
          Reflect.deleteProperty(globalThis, key);
        } catch {}
      }
      every(50, (n) => {
        void w.ctx.emit(w.event(n));
        w.ctx.log.info(`line ${n}`, { n });
      });
    },
  ],
  [
    'freeze-everything',
    'freezes the prototypes of everything there is',
    (w) => {
      for (const key of Reflect.ownKeys(globalThis)) {
        const value: unknown = Reflect.getOwnPropertyDescriptor(globalThis, key)?.value;
        if (typeof value !== 'function') continue;
        Object.freeze(value);
        if (typeof value.prototype === 'object') Object.freeze(value.prototype);
      }
      Object.freeze(w.ctx);
      Object.freeze(process);
      w.beat();
    },
    { expect: ['stays'] },
  ],
]);
