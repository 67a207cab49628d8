/** Plugins that keep what they make in places where few look: signals, marks, registries, stores of Node and of the engine. */

import { type Body, group } from '../body.ts';

export const LEAK_PLACES: readonly Body[] = [
  ...group(
    'heap leak',
    ['recycled:leak', 'recycled:out_of_memory'],
    [
      [
        'leak-signals',
        'keeps signals that follow the signal it was given',
        (w) => {
          const kept: unknown[] = [];
          w.every(5, () => {
            for (let i = 0; i < 300; i += 1) kept.push(AbortSignal.any([w.ctx.signal, new AbortController().signal]));
          });
        },
        { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] },
      ],
      [
        'leak-marks',
        'never clears its performance marks and measures',
        (w) =>
          w.every(5, (n) => {
            for (let i = 0; i < 500; i += 1) performance.mark(`mark ${n} ${i}`, { detail: { n, i, list: [n, i] } });
            performance.measure(`measure ${n}`);
          }),
      ],
      [
        'leak-observers',
        'puts up observers of performance, each of which keeps what it sees',
        async (w) => {
          const { PerformanceObserver } = await import('node:perf_hooks');
          const kept: unknown[] = [];
          for (let n = 0; n < 20; n += 1)
            new PerformanceObserver((list) => void kept.push(...list.getEntries())).observe({ entryTypes: ['mark'] });
          w.every(5, (n) => {
            for (let i = 0; i < 50; i += 1)
              performance.mark(`mark ${n} ${i}`, { detail: { n, i, list: new Array(100).fill(n) } });
            performance.clearMarks();
          });
        },
        { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] },
      ],
      [
        'leak-diagnostics',
        'subscribes to diagnostics channels of ever new names',
        async (w) => {
          const { subscribe } = await import('node:diagnostics_channel');
          w.every(5, (n) => {
            for (let i = 0; i < 500; i += 1) subscribe(`channel ${n} ${i}`, () => n + i);
          });
        },
      ],
      [
        'leak-stores',
        'keeps a context for each of its promises, which never settle',
        async (w) => {
          const { AsyncLocalStorage } = await import('node:async_hooks');
          const kept: unknown[] = [];
          w.every(5, (n) => {
            for (let i = 0; i < 300; i += 1) {
              new AsyncLocalStorage<unknown>().run({ n, i, list: new Array(200).fill(n) }, () => {
                const waiting = new Promise(() => undefined);
                kept.push(
                  waiting,
                  waiting.then(() => n),
                );
              });
            }
          });
        },
      ],
      [
        'leak-registry',
        'registers objects with a registry that holds them itself',
        (w) => {
          const registry = new FinalizationRegistry<unknown>(() => undefined);
          w.every(5, (n) => {
            for (let i = 0; i < 500; i += 1) {
              const value = { n, i, text: `${n} ${i}`.padEnd(100, '.') };
              registry.register(value, { value });
            }
          });
        },
      ],
      [
        'leak-weak-cycles',
        'keeps weak references to what it looks at again in each turn',
        () => {
          const refs: WeakRef<object>[] = [];
          const again = (): void => {
            for (let i = 0; i < 300; i += 1) refs.push(new WeakRef({ i, text: `${refs.length}`.padEnd(100, '.') }));
            const alive = refs.map((ref) => ref.deref());
            setTimeout(() => alive.length > 0 && again(), 1);
          };
          again();
        },
        { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] },
      ],
      [
        'leak-symbols',
        'makes symbols that all share, of ever new names',
        (w) => {
          const kept: unknown[] = [];
          w.every(5, (n) => {
            for (let i = 0; i < 1_000; i += 1) kept.push(Symbol.for(`symbol ${n} ${i}`.padEnd(60, '.')));
          });
        },
      ],
      [
        'leak-modules',
        'imports ever new modules from data URLs',
        (w) => {
          w.every(5, (n) => {
            for (let i = 0; i < 30; i += 1)
              void import(`data:text/javascript,export const list = new Array(1000).fill(${n * 30 + i})`);
          });
        },
        { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] },
      ],
      [
        'leak-labels',
        'counts and times on the console under ever new labels',
        (w) =>
          w.every(5, (n) => {
            for (let i = 0; i < 500; i += 1) console.time(`label ${n} ${i}`.padEnd(80, '.'));
          }),
      ],
    ],
  ),
  ...group(
    'off-heap leak',
    ['recycled:leak', 'recycled:out_of_memory'],
    [
      [
        'grow-channels',
        'opens message channels and closes none',
        (w) => {
          const kept: unknown[] = [];
          w.every(5, () => {
            for (let i = 0; i < 200; i += 1) kept.push(new MessageChannel());
          });
        },
        { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang', 'recycled:crash'] },
      ],
      [
        'grow-object-urls',
        'makes URLs of Blobs and revokes none',
        (w) => w.every(10, (n) => void URL.createObjectURL(new Blob([Buffer.alloc(500_000, n % 255)]))),
      ],
      [
        'grow-compiled-wasm',
        'compiles ever new WebAssembly modules and keeps them',
        (w) => {
          const kept: unknown[] = [];
          const number = (n: number): number[] => (n < 128 ? [n] : [(n % 128) + 128, ...number(Math.floor(n / 128))]);
          const body = [0, ...Array.from({ length: 200_000 }, (_, n) => [0x41, n % 64, 0x1a]).flat(), 0x0b];
          const code = [1, ...number(body.length), ...body];
          const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0];
          w.every(10, (n) => {
            const section = [0, 6, 1, 97, n % 256, (n >> 8) % 256, (n >> 16) % 256, 0];
            const bytes = Uint8Array.from([...head, 10, ...number(code.length), ...code, ...section]);
            kept.push(new w.wasm.Module(bytes));
          });
        },
      ],
      [
        'grow-in-modules',
        'makes instances of WebAssembly whose memories lie inside their modules, and fills them',
        (w) => {
          const kept: unknown[] = [];
          const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 1, 64, 64, 7, 5, 1, 1, 109, 2, 0]);
          w.every(20, () => {
            const { exports } = new w.wasm.Instance(new w.wasm.Module(bytes));
            new Uint8Array((exports as { m: { buffer: ArrayBuffer } }).m.buffer).fill(1);
            kept.push(exports);
          });
        },
        { expect: ['recycled:leak', 'recycled:out_of_memory', 'recycled:crash'] },
      ],
      [
        'grow-responses',
        'keeps responses, requests and readers whose bodies nobody reads',
        (w) => {
          const kept: unknown[] = [];
          const bytes = new Uint8Array(50_000).fill(1);
          w.every(10, () => {
            for (let i = 0; i < 10; i += 1) {
              const [one, other] = new Response(bytes.slice()).body?.tee() ?? [];
              void one?.getReader().read();
              kept.push(other, new Request('http://example.test/', { method: 'POST', body: bytes.slice() }));
            }
          });
        },
      ],
    ],
  ),
];
