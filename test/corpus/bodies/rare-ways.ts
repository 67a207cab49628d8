/** Ways of leaking, flooding and getting out that hang on rarer parts of Node and of the language. */

import { type Body, group } from '../body.ts';

const LONG = { watchMs: 12_000 } as const;
const LEAKS = ['recycled:leak', 'recycled:out_of_memory'] as const;

export const RARE_WAYS: readonly Body[] = [
  ...group('heap leak', LEAKS, [
    [
      'leak-temporal',
      'keeps times of Temporal',
      (w) => {
        const kept: unknown[] = [];
        const now = w.get(w.get(globalThis, 'Temporal'), 'Now');
        w.every(1, () => {
          for (let n = 0; n < 1_500; n += 1) {
            kept.push(w.call(now, 'zonedDateTimeISO', 'Europe/Rome'));
            kept.push(w.call(w.call(now, 'plainDateISO'), 'withCalendar', 'hebrew'));
          }
        });
      },
      LONG,
    ],
    [
      'leak-unread-clones',
      'clones endless responses and reads one of the two',
      (w) => {
        const kept: Response[] = [];
        w.every(50, () => {
          const pull = (sink: ReadableStreamDefaultController): void => sink.enqueue(new Uint8Array(65_536));
          const response = new Response(new ReadableStream({ pull }));
          kept.push(response.clone());
          const reader = response.body?.getReader();
          void (async () => {
            for (let n = 0; n < 100; n += 1) await reader?.read();
          })();
        });
      },
      LONG,
    ],
  ]),
  ...group(
    'hang',
    ['recycled:hang'],
    [
      [
        'loop-when-finalized',
        'loops in what is called for an object that is left at its exit',
        (w) => {
          const left = {};
          w.call(w.get(process, 'finalization'), 'register', left, () => {
            for (;;);
          });
          setTimeout(() => process.exit(left === null ? 1 : 0), 50);
        },
      ],
    ],
  ),
  ...group(
    'flood',
    ['stays', 'recycled:hang', 'recycled:leak', 'recycled:out_of_memory'],
    [
      [
        'stat-storm',
        'asks for its own file half a million times at once',
        async () => {
          const fs = await import('node:fs');
          const path = new URL(import.meta.url);
          for (let n = 0; n < 500_000; n += 1) fs.stat(path, () => undefined);
        },
        { watchMs: 6_000 },
      ],
    ],
  ),
  ...group(
    'off-heap leak',
    ['denied', 'recycled:crash', ...LEAKS],
    [
      [
        'import-wasm',
        'imports forty thousand modules of WebAssembly, each with a memory',
        async (w) => {
          await w.attempt('imports', async () => {
            const bytes = Buffer.from('AGFzbQEAAAAFAwEAAQcFAQFtAgA=', 'base64').toString('base64');
            const kept: unknown[] = [];
            for (let n = 0; n < 40_000; n += 1) kept.push(await w.load(`data:application/wasm;base64,${bytes}#${n}`));
            return null;
          });
          await w.sleep(3_000);
        },
        LONG,
      ],
    ],
  ),
  ...group(
    'escape',
    ['denied'],
    [
      [
        'trap-everything',
        'puts itself between the runtime and every method there is, to find its ports and cells',
        async (w) => {
          const { apply, ownKeys, getOwnPropertyDescriptor, defineProperty, getPrototypeOf } = Reflect;
          const textOf = Object.prototype.toString;
          const found: Record<string, boolean> = Object.create(null);
          const look = (where: string, value: unknown): void => {
            if (typeof value !== 'object' || value === null) return;
            const isShared =
              ArrayBuffer.isView(value) && apply(textOf, value.buffer, []) === '[object SharedArrayBuffer]';
            const { prototype } = MessagePort;
            const parent = getPrototypeOf(value);
            if (isShared || parent === prototype || (parent !== null && getPrototypeOf(parent) === prototype))
              found[where] = true;
          };
          let isBusy = false;
          const spy = (where: string, target: (...args: unknown[]) => unknown): unknown =>
            new Proxy(target, {
              apply(original, self, args) {
                if (!isBusy) {
                  isBusy = true;
                  look(where, self);
                  for (let at = 0; at < args.length; at += 1) {
                    look(where, args[at]);
                    if (Array.isArray(args[at])) for (let n = 0; n < 5; n += 1) look(where, (args[at] as unknown[])[n]);
                  }
                  isBusy = false;
                }
                return apply(original, self, args);
              },
            });
          const owners: Record<string, object> = {};
          for (const name of Object.getOwnPropertyNames(globalThis)) {
            const value: unknown = w.get(globalThis, name);
            if (typeof value !== 'function' || name === 'Proxy') continue;
            owners[name] = value;
            owners[`${name}#`] = w.get(value, 'prototype') as object;
          }
          owners.Atomics = Atomics;
          owners.JSON = JSON;
          owners.process = process;
          owners['EventEmitter#'] = (await import('node:events')).EventEmitter.prototype;
          owners['typed arrays'] = getPrototypeOf(Int32Array.prototype) as object;
          for (const [name, owner] of Object.entries(owners)) {
            if (owner === undefined || owner === null) continue;
            for (const key of ownKeys(owner)) {
              const given = getOwnPropertyDescriptor(owner, key);
              if (given?.configurable !== true || key === 'constructor' || key === 'prototype') continue;
              const where = `${name}.${String(key)}`;
              const wrapped: PropertyDescriptor = { ...given };
              if (typeof given.value === 'function') wrapped.value = spy(where, given.value as () => unknown);
              if (given.get !== undefined) wrapped.get = spy(where, given.get) as () => unknown;
              if (given.set !== undefined) wrapped.set = spy(where, given.set as () => unknown) as () => void;
              defineProperty(owner, key, wrapped);
            }
          }
          void w.ctx.emit(w.event(0)).catch(() => undefined);
          w.ctx.log.info('something to send');
          w.ctx.metrics.counter({ name: 'spied_total', help: 'Something to send.' }).inc();
          for (const module of ['node:zlib', 'node:crypto', 'node:net', 'node:fs']) await w.load(module);
          await w.sleep(1_000);
          await w.attempt('ports and cells', () => Object.keys(found).length > 0 && Object.keys(found).join(' '));
        },
        { expect: ['denied', 'recycled:crash', 'recycled:protocol', 'recycled:hang'] },
      ],
      [
        'write-by-stream',
        'writes to every descriptor through the stream of log libraries',
        async (w) => {
          const fs = await import('node:fs');
          const Stream = w.get(fs, 'Utf8Stream') as new (options: object) => NodeJS.WritableStream;
          for (const sync of [true, false]) {
            for (let fd = 3; fd < 40; fd += 1) {
              await w.attempt(`${fd}${sync ? ' at once' : ''}`, () => {
                const { promise, resolve, reject } = Promise.withResolvers<unknown>();
                const stream = new Stream({ fd, sync, minLength: 0 });
                stream.on('error', reject).on('write', resolve).write('made up\n');
                setTimeout(resolve, 30);
                return promise;
              });
            }
          }
        },
      ],
      [
        'learn-paths',
        'learns from the errors of the module loader which files there are',
        async (w) => {
          const { createRequire } = await import('node:module');
          const { resolve } = createRequire('/');
          await w.attempt('require.resolve', () => resolve(w.text('secret')) === w.text('secret'));
        },
        { expect: ['open'] },
      ],
    ],
  ),
  ...group(
    'protocol',
    ['stays'],
    [
      [
        'trace-tls',
        "has OpenSSL write lines of the host to the host's standard error",
        async (w) => {
          const tls = await import('node:tls');
          const { Duplex } = await import('node:stream');
          const line = JSON.stringify({
            level: 'error',
            name: 'plugin-manager',
            plugin: 'trace-tls',
            msg: 'plugin trace-tls failed',
          });
          w.every(50, () => {
            const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
            const options = { socket, enableTrace: true, ALPNProtocols: [`\n${line}\n`] };
            const traced = tls.connect(options).on('error', () => undefined);
            setTimeout(() => traced.destroy(), 30);
          });
        },
      ],
    ],
  ),
  ...group(
    'lifecycle',
    ['stopped'],
    [
      [
        'stop-in-promises',
        'answers stop with promises without end',
        {
          start: () => undefined,
          stop: () =>
            new Promise(() => {
              const again = (): Promise<unknown> => Promise.resolve().then(again);
              void again();
            }),
        },
        { stopAfterMs: 300 },
      ],
    ],
  ),
];
