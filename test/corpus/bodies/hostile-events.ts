/** Events, log fields and measurements that are hard to look at: what is refused is refused by a code, and nothing else comes of it. */

import { type Body, group } from '../body.ts';

export const HOSTILE_EVENTS: readonly Body[] = group(
  'escape',
  ['denied'],
  [
    [
      'emit-oddities',
      'emits what is no event: BigInts, symbols, circles, functions, proxies, nothing',
      async (w) => {
        const circle: Record<string, unknown> = {};
        circle.self = circle;
        let deep: unknown = 1;
        for (let n = 0; n < 100_000; n += 1) deep = [deep];
        const hostile = (): never => {
          throw new Error('do not look at me');
        };
        const given: Record<string, unknown> = {
          nothing: undefined,
          null: null,
          'a number': 5,
          'a symbol': Symbol('event'),
          'a list': [],
          'a function': () => undefined,
          'a BigInt': { ...w.event(0), metadata: { n: 10n } },
          'a circle': { ...w.event(0), metadata: circle },
          'a symbol as type': { ...w.event(0), type: Symbol('type') },
          'an object as type': { ...w.event(0), type: { toString: () => 'happened' } },
          'a symbol as source': { ...w.event(0), source: Symbol('source') },
          'an object as source': { ...w.event(0), source: { toString: hostile } },
          'a proxy': new Proxy({}, { get: hostile }),
          'a proxy of nothing': new Proxy({}, {}),
          'a revoked proxy': (() => {
            const { proxy, revoke } = Proxy.revocable({}, {});
            revoke();
            return proxy;
          })(),
          'a depth of 100 000': { ...w.event(0), metadata: { deep } },
          'a timestamp that is none': { ...w.event(0), timestamp: '2026-13-45' },
          'a list as metadata': { ...w.event(0), metadata: [1] },
          'no name': { type: 'happened', message: 'm' },
          'a name of 70 KB': { ...w.event(0), resourceName: 'x'.repeat(70_000) },
          'a type of 300 characters': { ...w.event(0), type: 'x'.repeat(300) },
          'a type of two lines': { ...w.event(0), type: 'happened\nhappened' },
          'tags that are none': { ...w.event(0), tags: { a: () => 1, b: [{}] } },
        };
        for (const [name, event] of Object.entries(given)) {
          await w.attempt(name, () => w.ctx.emit(event as never));
        }
      },
      { quick: true },
    ],
    [
      'emit-shifting',
      'emits events whose getters and toJSON throw, or say something else each time',
      async (w) => {
        let n = 0;
        const shifting = {
          get type() {
            n += 1;
            return n % 2 === 0 ? 'happened' : 'undeclared';
          },
          get source() {
            n += 1;
            return n % 2 === 0 ? 'neighbour' : undefined;
          },
          resourceName: 'thing',
          message: 'm',
        };
        await w.attempt('the source of a neighbour, every other time', async () => {
          for (let i = 0; i < 20; i += 1) {
            await w.ctx.emit({ ...w.event(i), source: 'neighbour' } as never);
          }
          return 'taken';
        });
        for (let i = 0; i < 20; i += 1) await w.ctx.emit(shifting).catch(() => undefined);
        const throwing = (error: unknown) => ({
          ...w.event(0),
          metadata: {
            toJSON: () => {
              throw error;
            },
          },
        });
        const cargo = Object.assign(new Error('x'.repeat(5_000_000)), { stack: 'y'.repeat(5_000_000) });
        const errors = [null, undefined, cargo, Symbol('e'), new Proxy({}, { get: () => () => undefined }), 5n];
        for (const error of errors) await w.attempt('toJSON throws', () => w.ctx.emit(throwing(error)));
        const growing = { toJSON: (): unknown => ({ growing, again: { growing } }) };
        await w.attempt('toJSON grows', () => w.ctx.emit({ ...w.event(0), metadata: growing as never }));
      },
    ],
    [
      'emit-in-emit',
      'emits from within the getters and toJSON of an event that it emits',
      async (w) => {
        const again = (depth: number): object => ({
          ...w.event(depth),
          metadata: {
            toJSON: () => {
              if (depth < 50) for (let n = 0; n < 2; n += 1) void w.ctx.emit(again(depth + 25) as never);
              return { depth };
            },
          },
        });
        for (let n = 0; n < 200; n += 1) await w.ctx.emit(again(0) as never);
        w.beat();
      },
      { expect: ['stays'] },
    ],
    [
      'emit-without-end',
      'emits many events out of a list that never ends',
      (w) =>
        w.ctx.emitMany(
          (function* endless() {
            for (let n = 0; ; n += 1) yield w.event(n);
          })(),
        ),
      { expect: ['recycled:hang', 'recycled:leak', 'recycled:out_of_memory', 'recycled:flood'] },
    ],
    [
      'log-oddities',
      'logs what is hard to look at: proxies, getters that throw, depths, large texts',
      (w) => {
        const hostile = (): never => {
          throw new Error('do not look at me');
        };
        let deep: unknown = 1;
        for (let n = 0; n < 100_000; n += 1) deep = [deep];
        const given: unknown[] = [null, undefined, 5, Symbol('s'), 10n, new Proxy({}, { get: hostile }), [], deep];
        given.push(
          { toJSON: hostile },
          { toString: hostile },
          {
            get a() {
              return hostile();
            },
          },
          'x'.repeat(3_000_000),
        );
        given.push(
          { toString: () => 'x'.repeat(3_000_000) },
          '\u001b[2J\n{"level":"error"}\r\n',
          '\ud800',
          new Date(NaN),
        );
        w.every(100, (n) => {
          const one = given[n % given.length];
          w.ctx.log.info(one as never, one as never);
          w.ctx.log.warn('fields', { one, error: Object.assign(new Error('e'), { cause: one }) });
          console.log(one, '%s %d %j %o %O %c', one, one);
        });
      },
      { expect: ['stays'] },
    ],
    [
      'measure-oddities',
      'measures what is no measurement, under names that are none',
      (w) => {
        const odd: unknown[] = [Number.NaN, Infinity, -1, 5n, '7', null, Symbol('n'), { valueOf: () => 1 }, () => 1];
        const names: unknown[] = [
          '__proto__',
          'constructor',
          '',
          'x'.repeat(100_000),
          'a b',
          '1',
          null,
          Symbol('n'),
          {},
        ];
        w.every(20, (n) => {
          for (const metric of ['counter', 'gauge', 'histogram']) {
            try {
              const labels = { [`label-${n % 7}`]: odd[n % 5], __proto__: { a: 1 }, 'le"\n': 'x"\n\\' };
              const made = w.call(w.ctx.metrics, metric, { name: names[n % names.length], help: odd[n % odd.length] });
              w.call(
                made,
                metric === 'counter' ? 'inc' : metric === 'gauge' ? 'set' : 'observe',
                odd[n % odd.length],
                labels,
              );
            } catch {}
          }
        });
        w.beat();
      },
      { expect: ['stays'] },
    ],
    [
      'format-bombs',
      'writes to the console what takes long to write: groups in groups, wide tables, formats of formats',
      (w) => {
        const wide = Array.from({ length: 2_000 }, (_, n) => ({ n, name: `thing ${n}`, list: [n, n, n] }));
        w.every(100, (n) => {
          console.group(`level ${n}`);
          for (let i = 0; i < 500; i += 1) console.group();
          console.table(wide);
          console.log('%s'.repeat(20_000), ...Array.from({ length: 20_000 }, () => 'x'));
          console.dir(wide, { depth: null });
          console.time(`time ${n}`);
          console.count(`count ${n}`);
          console.trace('x'.repeat(100_000));
        });
      },
      { expect: ['stays', 'recycled:hang', 'recycled:flood', 'recycled:leak', 'recycled:out_of_memory'] },
    ],
  ],
);
