/** Plugins that do something harmless far too often: tasks, waits, requests, look-ups, connections, jobs. */

import { type Body, group } from '../body.ts';

/** A loop that never rests may all the same stay within its share: much of collecting is done by threads of the engine. */
const WITHIN = ['recycled:hang', 'recycled:leak', 'recycled:out_of_memory', 'stays'] as const;
const FULL = ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] as const;
const NET = { permissions: () => ({ net: true }) } as const;

export const STORM: readonly Body[] = [
  ...group(
    'hang',
    ['recycled:hang'],
    [
      [
        'hrtime-loop',
        'asks for the time without end',
        () => {
          for (;;) process.hrtime.bigint();
        },
      ],
      [
        'microtask-storms',
        'queues a million microtasks in each turn',
        () => {
          const storm = (): void => {
            for (let n = 0; n < 1_000_000; n += 1) queueMicrotask(() => undefined);
            setTimeout(storm, 0);
          };
          storm();
        },
        { expect: WITHIN, watchMs: 12_000 },
      ],
      [
        'immediate-storm',
        'sets ten thousand immediates in each turn',
        () => {
          const storm = (): void => {
            for (let n = 0; n < 10_000; n += 1) setImmediate(() => undefined);
            setImmediate(storm);
          };
          storm();
        },
        { expect: WITHIN, watchMs: 12_000 },
      ],
      [
        'wait-in-wasm',
        'waits on shared memory that a WebAssembly module declares',
        (w) => {
          const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1, 7, 5, 1, 1, 109, 2, 0];
          const { exports } = new w.wasm.Instance(new w.wasm.Module(new Uint8Array(bytes)));
          Atomics.wait(new Int32Array((exports as { m: { buffer: ArrayBuffer } }).m.buffer), 0, 0);
        },
        { expect: ['recycled:hang', 'recycled:crash'] },
      ],
      [
        'wait-async-storm',
        'waits a million times, without blocking, on memory that nobody changes',
        (w) => {
          const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1, 7, 5, 1, 1, 109, 2, 0];
          const { exports } = new w.wasm.Instance(new w.wasm.Module(new Uint8Array(bytes)));
          const cells = new Int32Array((exports as { m: { buffer: ArrayBuffer } }).m.buffer);
          w.every(5, () => {
            for (let n = 0; n < 2_000; n += 1) w.call(Atomics, 'waitAsync', cells, 0, 0);
          });
        },
        { expect: [...FULL, 'recycled:crash'] },
      ],
      [
        'wait-async-timers',
        'waits without blocking, a thousand times in each turn, for a moment',
        (w) => {
          const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1, 7, 5, 1, 1, 109, 2, 0];
          const { exports } = new w.wasm.Instance(new w.wasm.Module(new Uint8Array(bytes)));
          const cells = new Int32Array((exports as { m: { buffer: ArrayBuffer } }).m.buffer);
          w.every(1, () => {
            for (let n = 0; n < 1_000; n += 1) w.call(Atomics, 'waitAsync', cells, 0, 0, 1);
          });
        },
        { expect: [...WITHIN, 'recycled:crash'] },
      ],
    ],
  ),
  ...group(
    'flood',
    ['stays', ...FULL],
    [
      [
        'fetch-storm',
        'fetches from a port where nobody listens, thousands at a time',
        (w) =>
          w.every(20, () => {
            for (let n = 0; n < 200; n += 1)
              void fetch(`http://127.0.0.1:${w.number('freePort')}/${n}`).catch(() => undefined);
          }),
        { permissions: ({ freePort }) => ({ net: { connect: [`127.0.0.1:${freePort}`] } }) },
      ],
      [
        'look-up-storm',
        'looks up names that do not exist, thousands at a time',
        async (w) => {
          const dns = await import('node:dns');
          w.every(20, (n) => {
            for (let i = 0; i < 200; i += 1) {
              dns.lookup(`name-${n}-${i}.invalid`, () => undefined);
              dns.resolve(`name-${n}-${i}.invalid`, () => undefined);
            }
          });
        },
        NET,
      ],
      [
        'unanswered-requests',
        'serves HTTP and answers nobody, and asks itself all the time',
        async (w) => {
          const http = await import('node:http');
          const port = w.number('freePort');
          await new Promise<void>((resolve, reject) =>
            http
              .createServer(() => undefined)
              .once('error', reject)
              .listen(port, '127.0.0.1', resolve),
          );
          w.every(5, () => void http.get({ host: '127.0.0.1', port, agent: false }).on('error', () => undefined));
        },
        {
          permissions: ({ freePort }) => ({ net: { listen: [freePort], connect: [`127.0.0.1:${freePort}`] } }),
        },
      ],
      [
        'socket-storm',
        'opens ten thousand connections as fast as it can',
        async (w) => {
          const net = await import('node:net');
          const kept: unknown[] = [];
          for (let n = 0; n < 10_000; n += 1) {
            kept.push(net.connect(w.number('echoPort'), '127.0.0.1').on('error', () => undefined));
            if (n % 100 === 0) await w.sleep(1);
          }
          w.every(1_000, () => kept.length);
        },
        { permissions: ({ echoPort }) => ({ net: { connect: [`127.0.0.1:${echoPort}`] } }) },
      ],
      [
        'file-storm',
        'reads its own files, ten thousand times at once',
        async (w) => {
          const fs = await import('node:fs');
          const path = new URL(import.meta.url);
          w.every(50, () => {
            for (let n = 0; n < 500; n += 1) {
              fs.readFile(path, () => undefined);
              void fs.promises.stat(path);
            }
          });
        },
      ],
      [
        'job-storm',
        'gives the thread pool thousands of jobs in each turn: keys, hashes, compression',
        async (w) => {
          const crypto = await import('node:crypto');
          const zlib = await import('node:zlib');
          const data = Buffer.alloc(200_000, 'some text');
          w.every(20, () => {
            for (let n = 0; n < 100; n += 1) {
              crypto.pbkdf2('p', 's', 50_000, 64, 'sha512', () => undefined);
              crypto.randomBytes(100_000, () => undefined);
              void crypto.subtle.digest('SHA-512', data);
              void crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
              zlib.brotliCompress(data, () => undefined);
            }
          });
        },
      ],
      [
        'clone-storm',
        'clones, serialises and posts large values to itself all the time',
        async (w) => {
          const v8 = await import('node:v8');
          const value = Array.from({ length: 20_000 }, (_, n) => ({ n, name: `thing ${n}`, list: [n] }));
          const { port1, port2 } = new MessageChannel();
          port2.on('message', () => undefined);
          w.every(50, () => {
            structuredClone(value);
            v8.deserialize(v8.serialize(value));
            port1.postMessage(value);
          });
        },
      ],
    ],
  ),
];
