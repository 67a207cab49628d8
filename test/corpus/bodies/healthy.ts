/** Heavy, and in good health: whoever ends one of these is wrong. */

import { type Body, group } from '../body.ts';

const LOOK = { watchMs: 4_000 } as const;

export const HEALTHY: readonly Body[] = group(
  'healthy',
  ['stays'],
  [
    [
      'large-documents',
      'parses a document of 40 MB now and then',
      (w) => {
        const text = JSON.stringify(
          Array.from({ length: 400 }, (_, id) => ({ id, body: `${id}`.padEnd(100_000, 'x') })),
        );
        w.every(700, () => {
          const list = JSON.parse(text) as unknown[];
          if (list.length !== 400) throw new Error('misread');
        });
      },
      { ...LOOK },
    ],
    [
      'many-documents',
      'parses documents and keeps the last twelve',
      (w) => {
        const text = JSON.stringify(
          Array.from({ length: 2_000 }, (_, id) => ({ id, name: `thing ${id}`, tags: ['a', `${id}`] })),
        );
        const last: unknown[] = [];
        w.every(8, (n) => {
          last[n % 12] = JSON.parse(text);
        });
      },
      LOOK,
    ],
    [
      'much-garbage',
      'makes short-lived objects all the time',
      (w) => {
        let sum = 0;
        w.every(5, (n) => {
          for (let i = 0; i < 8_000; i += 1) sum += Object.keys({ n, i, text: `t${i}` }).length;
          if (sum < 0) throw new Error('never');
        });
      },
      LOOK,
    ],
    [
      'ring',
      'keeps a ring of 150 000 objects that turns all the time',
      (w) => {
        const ring: unknown[] = new Array(150_000).fill(null);
        w.every(5, (n) => {
          for (let i = 0; i < 4_000; i += 1)
            ring[(n * 4_000 + i) % ring.length] = { n, i, text: `t${n}-${i}`, list: [i] };
        });
      },
      { ...LOOK, quick: true },
    ],
    [
      'buffers',
      'takes Buffers of 1 MB and drops them at once',
      (w) => {
        let sum = 0;
        w.every(8, () => {
          for (let i = 0; i < 4; i += 1) sum += Buffer.alloc(1024 * 1024, 1)[5] ?? 0;
        });
        w.every(1_000, () => sum);
      },
      LOOK,
    ],
    [
      'cache',
      'keeps a bounded cache of 36 MB',
      (w) => {
        const cache = new Map<number, string>();
        w.every(5, (n) => {
          for (let i = 0; i < 100; i += 1) {
            const key = n * 100 + i;
            cache.set(key, `${key}`.padEnd(1_000, '.').split('').reverse().join(''));
            if (cache.size > 36_000) cache.delete(cache.keys().next().value ?? -1);
          }
        });
      },
      LOOK,
    ],
    [
      'off-heap-cache',
      'keeps a bounded cache of 40 MB outside the heap',
      (w) => {
        const cache: Buffer[] = [];
        w.every(20, (n) => {
          cache[n % 40] = Buffer.alloc(1024 * 1024, 1);
        });
      },
      LOOK,
    ],
    [
      'bursts',
      'computes for 400 ms every two seconds',
      (w) =>
        w.every(2_000, () => {
          const until = performance.now() + 400;
          while (performance.now() < until);
        }),
      { watchMs: 6_500 },
    ],
    [
      'busy',
      'computes for half of the time',
      (w) =>
        w.every(100, () => {
          const until = performance.now() + 50;
          while (performance.now() < until);
        }),
      LOOK,
    ],
    [
      'one-long-turn',
      'computes for 1.5 seconds, once',
      () => {
        const until = performance.now() + 1_500;
        while (performance.now() < until);
      },
      LOOK,
    ],
    [
      'idle-sockets',
      'holds 512 sockets on which nothing happens',
      async (w) => {
        const net = await import('node:net');
        const sockets: unknown[] = [];
        for (let n = 0; n < 512; n += 1) {
          const socket = net.connect(w.number('echoPort'), '127.0.0.1');
          await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
          sockets.push(socket);
        }
        w.every(1_000, () => sockets.length);
      },
      { watchMs: 4_000, permissions: ({ echoPort }) => ({ net: { connect: [`127.0.0.1:${echoPort}`] } }) },
    ],
    [
      'server',
      'serves HTTP on the port it was granted, to itself',
      async (w) => {
        const http = await import('node:http');
        const port = w.number('freePort');
        const server = http.createServer((request, response) => {
          request.resume();
          response.end('ok');
        });
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
        w.every(10, () => {
          void fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x'.repeat(1_000) }).then((response) =>
            response.text(),
          );
        });
      },
      {
        ...LOOK,
        permissions: ({ freePort }) => ({ net: { listen: [freePort], connect: [`127.0.0.1:${freePort}`] } }),
      },
    ],
    [
      'polite-emitter',
      'emits 500 events a second and waits for each',
      async (w) => {
        for (let n = 0; ; n += 1) {
          await Promise.all([w.ctx.emit(w.event(n)), w.sleep(2)]);
        }
      },
      LOOK,
    ],
    ['talkative', 'logs 100 lines a second', (w) => w.every(10, (n) => w.ctx.log.info(`line ${n}`, { n })), LOOK],
    [
      'compressor',
      'compresses in the thread pool all the time',
      async (w) => {
        const zlib = await import('node:zlib');
        const { promisify } = await import('node:util');
        const gzip = promisify(zlib.gzip);
        const data = Buffer.alloc(256 * 1024, 'some text to compress ');
        w.every(40, () => void gzip(data));
      },
      LOOK,
    ],
    [
      'hasher',
      'hashes and signs, a few at a time',
      async (w) => {
        const crypto = await import('node:crypto');
        w.every(50, () => {
          crypto.createHash('sha256').update('x'.repeat(100_000)).digest('hex');
          crypto.pbkdf2('password', 'salt', 10_000, 32, 'sha256', () => undefined);
        });
      },
      LOOK,
    ],
    [
      'many-timers',
      'has ten thousand timers waiting',
      () => {
        for (let n = 0; n < 10_000; n += 1) setTimeout(() => undefined, 60_000 + n);
      },
      LOOK,
    ],
    [
      'handled-errors',
      'rejects and handles, all the time',
      (w) => w.every(5, () => void Promise.reject(new Error('handled')).catch(() => undefined)),
      LOOK,
    ],
  ],
);
