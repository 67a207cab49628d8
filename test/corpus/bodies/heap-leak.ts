/** Plugins that keep what they should let go, in each structure that can keep something. About 40 MB a second. */

import { type Body, group } from '../body.ts';

export const HEAP_LEAK: readonly Body[] = group(
  'heap leak',
  ['recycled:leak', 'recycled:out_of_memory'],
  [
    [
      'leak-array',
      'keeps objects in an array',
      (w) => {
        const kept: unknown[] = [];
        w.every(5, (n) => {
          for (let i = 0; i < 2_000; i += 1) kept.push({ n, i, name: `thing-${i}` });
        });
      },
      { quick: true },
    ],
    [
      'leak-map',
      'keeps texts in a Map',
      (w) => {
        const kept = new Map<string, string>();
        w.every(5, (n) => {
          for (let i = 0; i < 1_000; i += 1) kept.set(`key-${n}-${i}`, `value of ${n} and ${i}`.padEnd(100, '.'));
        });
      },
    ],
    [
      'leak-set',
      'keeps symbols in a Set',
      (w) => {
        const kept = new Set<symbol>();
        w.every(5, (n) => {
          for (let i = 0; i < 2_000; i += 1) kept.add(Symbol(`symbol ${n} ${i}`));
        });
      },
    ],
    [
      'leak-object-keys',
      'uses an object as a dictionary that only grows',
      (w) => {
        const kept: Record<string, number[]> = {};
        w.every(5, (n) => {
          for (let i = 0; i < 1_000; i += 1) kept[`key-${n}-${i}`] = [n, i, n * i, n + i];
        });
      },
    ],
    [
      'leak-closures',
      'keeps functions that keep what they saw',
      (w) => {
        const kept: (() => unknown)[] = [];
        w.every(5, (n) => {
          for (let i = 0; i < 300; i += 1) {
            const seen = new Array(80).fill(n);
            kept.push(() => seen);
          }
        });
      },
    ],
    [
      'leak-timers',
      'sets timers and never clears one',
      (w) =>
        w.every(5, (n) => {
          for (let i = 0; i < 500; i += 1) {
            const cargo = new Array(20).fill(n);
            setTimeout(() => cargo, 3_600_000);
          }
        }),
    ],
    [
      'leak-listeners',
      'adds listeners and never removes one',
      async (w) => {
        const { EventEmitter } = await import('node:events');
        const emitter = new EventEmitter().setMaxListeners(0);
        w.every(5, (n) => {
          for (let i = 0; i < 200; i += 1) {
            const cargo = new Array(100).fill(n);
            emitter.on(`event-${i}`, () => cargo);
          }
        });
      },
    ],
    [
      'leak-abort-listeners',
      'waits for its own signal in each request',
      (w) =>
        w.every(5, (n) => {
          for (let i = 0; i < 200; i += 1) {
            const cargo = new Array(80).fill(n);
            w.ctx.signal.addEventListener('abort', () => cargo);
          }
        }),
      // Each listener is compared with all before it.
      { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] },
    ],
    [
      'leak-promises',
      'waits for promises that never settle',
      (w) => {
        const never: Promise<unknown>[] = [];
        w.every(5, (n) => {
          for (let i = 0; i < 500; i += 1) {
            const cargo = new Array(20).fill(n);
            const promise = new Promise(() => undefined);
            never.push(promise.then(() => cargo));
          }
        });
      },
    ],
    [
      'leak-emits',
      'emits without waiting, faster than its rate',
      (w) =>
        w.every(5, (n) => {
          const padding = 'x'.repeat(2_000);
          for (let i = 0; i < 100; i += 1) void w.ctx.emit({ ...w.event(n * 100 + i), message: `${i}${padding}` });
        }),
      { rateLimit: { eventsPerSecond: 100, burst: 10 } },
    ],
    [
      'leak-weak-keys',
      'keeps the keys of a WeakMap elsewhere',
      (w) => {
        const weak = new WeakMap<object, unknown>();
        const keys: object[] = [];
        w.every(5, (n) => {
          for (let i = 0; i < 300; i += 1) {
            const key = { n, i };
            keys.push(key);
            weak.set(key, new Array(60).fill(n));
          }
        });
      },
    ],
    [
      'leak-text',
      'appends to one text',
      (w) => {
        let log = '';
        w.every(5, (n) => {
          for (let i = 0; i < 100; i += 1) log += `line ${n} ${i} ${'.'.repeat(1_000 + (i % 7))}\n`;
          if (log.length === n) throw new Error('never');
        });
      },
    ],
    [
      'leak-substrings',
      'keeps a little of each large text',
      (w) => {
        const kept: string[] = [];
        w.every(5, (n) => {
          const large = `${n}`.repeat(200_000);
          kept.push(large.slice(10, 40));
        });
      },
    ],
    [
      'leak-functions',
      'compiles functions and keeps them',
      (w) => {
        const kept: unknown[] = [];
        w.every(5, (n) => {
          const text = Array.from({ length: 40 }, (_, i) => `if (a === ${n} + ${i}) return { x${n}_${i}: a };`).join(
            '\n',
          );
          for (let i = 0; i < 10; i += 1)
            kept.push(new Function('a', `// ${i}\n${text}`), (kept.at(-1) as () => unknown)?.());
        });
      },
    ],
    [
      'leak-linked-list',
      'grows a linked list',
      (w) => {
        interface Link {
          readonly next: Link | null;
          readonly cargo: readonly number[];
        }
        let head: Link | null = null;
        w.every(5, (n) => {
          for (let i = 0; i < 1_500; i += 1) head = { next: head, cargo: [n, i, n, i] };
        });
      },
    ],
    [
      'leak-documents',
      'keeps every document it parsed',
      (w) => {
        const text = JSON.stringify(
          Array.from({ length: 500 }, (_, id) => ({ id, name: `thing ${id}`, tags: ['a', 'b', `${id}`] })),
        );
        const kept: unknown[] = [];
        w.every(5, () => kept.push(JSON.parse(text), JSON.parse(text)));
      },
    ],
    [
      'leak-errors',
      'keeps errors with their stacks',
      (w) => {
        const kept: string[] = [];
        w.every(5, (n) => {
          for (let i = 0; i < 300; i += 1) kept.push(`${new Error(`number ${n} ${i} ${'.'.repeat(300)}`).stack}`);
        });
      },
    ],
    [
      'leak-contexts',
      'enters one async context after the other and leaves none',
      async (w) => {
        const { AsyncLocalStorage } = await import('node:async_hooks');
        const storage = new AsyncLocalStorage<unknown>();
        w.every(5, (n) => {
          for (let i = 0; i < 200; i += 1) {
            storage.run(new Array(100).fill(n), () => setTimeout(() => storage.getStore(), 3_600_000));
          }
        });
      },
    ],
    [
      'leak-generators',
      'starts generators and finishes none',
      (w) => {
        const kept: Iterator<number>[] = [];
        w.every(5, (n) => {
          for (let i = 0; i < 500; i += 1) {
            const numbers = (function* () {
              const cargo = new Array(20).fill(n);
              for (;;) yield cargo.length;
            })();
            numbers.next();
            kept.push(numbers);
          }
        });
      },
    ],
    [
      'leak-big-array',
      'fills one array of a hundred million numbers',
      () => {
        const kept = new Array<number>(100_000_000);
        for (let i = 0; i < kept.length; i += 1) kept[i] = i * 1.5;
        return kept.length;
      },
      { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] },
    ],
    [
      'leak-slowly',
      'keeps 8 MB a second',
      (w) => {
        const kept: unknown[] = [];
        w.every(25, (n) => {
          for (let i = 0; i < 2_000; i += 1) kept.push({ n, i, name: `thing-${i}` });
        });
      },
      { watchMs: 25_000 },
    ],
    [
      'leak-while-blocked',
      'fills its memory in one turn that never ends',
      () => {
        const kept: unknown[] = [];
        for (let i = 0; ; i += 1) kept.push({ i, text: `number ${i}` });
      },
      { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] },
    ],
  ],
);
