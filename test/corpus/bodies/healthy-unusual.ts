/** In good health, and unlike the others: what few plugins do and none may be ended for. Each emits all the while. */

import { type Body, group } from '../body.ts';

const LOOK = { watchMs: 4_000 } as const;

export const HEALTHY_UNUSUAL: readonly Body[] = group(
  'healthy',
  ['stays'],
  [
    [
      'compress-streams',
      'compresses and decompresses some megabytes through streams, all the time',
      async (w) => {
        w.beat();
        const zlib = await import('node:zlib');
        const { pipeline } = await import('node:stream/promises');
        const { Readable, Writable } = await import('node:stream');
        const piece = Buffer.from(Array.from({ length: 10_000 }, (_, n) => `line ${n * 7919} of a log\n`).join(''));
        for (;;) {
          let bytes = 0;
          const count = new Writable({
            write(chunk: Buffer, _encoding, done) {
              bytes += chunk.length;
              done();
            },
          });
          await pipeline(
            Readable.from(Array.from({ length: 16 }, () => piece)),
            zlib.createGzip(),
            zlib.createGunzip(),
            count,
          );
          if (bytes !== 16 * piece.length) throw new Error('lost on the way');
          await w.sleep(300);
        }
      },
      LOOK,
    ],
    [
      'hash-bursts',
      'hashes 32 MB in one turn now and then, and signs and encrypts',
      async (w) => {
        w.beat();
        const crypto = await import('node:crypto');
        const data = Buffer.alloc(1024 * 1024, 'x');
        const key = crypto.randomBytes(32);
        w.every(700, () => {
          const hash = crypto.createHash('sha256');
          for (let n = 0; n < 32; n += 1) hash.update(data);
          hash.digest('hex');
          const cipher = crypto.createCipheriv('aes-256-gcm', key, crypto.randomBytes(12));
          cipher.update(data);
          cipher.final();
          crypto.createHmac('sha512', key).update(data).digest();
          crypto.randomUUID();
        });
      },
      LOOK,
    ],
    [
      'twenty-thousand-timers',
      'has twenty thousand intervals and timeouts, of which some are always due',
      (w) => {
        w.beat();
        let fired = 0;
        for (let n = 0; n < 20_000; n += 1) {
          setInterval(() => {
            fired += 1;
          }, 2_000 + n);
        }
        w.every(1_000, () => fired);
      },
      LOOK,
    ],
    [
      'steady-cache',
      'keeps a Map steady at six tenths of its limit, and replaces it all the time',
      (w) => {
        w.beat();
        const cache = new Map<number, { id: number; text: string; list: number[] }>();
        w.every(5, (n) => {
          // Filled at once, then turned over: a Map that loses its oldest key scans what was there before it.
          for (let i = 0; i < (n === 0 ? 90_000 : 60); i += 1) {
            const id = n * 90_000 + i;
            cache.set(id, { id, text: `${id}`.padEnd(120, '.').split('').reverse().join(''), list: [id, id + 1] });
            if (cache.size > 90_000) cache.delete(cache.keys().next().value ?? -1);
          }
        });
      },
      { watchMs: 6_000 },
    ],
    [
      'small-buffers',
      'churns small Buffers, slices and copies of them',
      (w) => {
        w.beat();
        const last: Buffer[] = [];
        w.every(5, (n) => {
          for (let i = 0; i < 1_500; i += 1) {
            const piece = Buffer.from(`record ${n} ${i}`);
            last[(n * 1_500 + i) % 5_000] = Buffer.concat([piece.subarray(2), Buffer.allocUnsafe(40 + (i % 900))]);
          }
        });
      },
      LOOK,
    ],
    [
      'web-streams',
      'reads through web streams, async generators and pipes',
      async (w) => {
        w.beat();
        async function* lines(count: number): AsyncGenerator<string> {
          for (let n = 0; n < count; n += 1) {
            if (n % 100 === 0) await w.sleep(1);
            yield `line ${n}\n`;
          }
        }
        for (;;) {
          const text = ReadableStream.from(lines(1_000)).pipeThrough(
            new TextEncoderStream() as never,
          ) as ReadableStream;
          const [one, other] = text.pipeThrough(new CompressionStream('gzip') as never).tee() as ReadableStream[];
          const back = one?.pipeThrough(new DecompressionStream('gzip') as never) as ReadableStream;
          const sizes = await Promise.all([new Response(back).text(), new Response(other).arrayBuffer()]);
          if (!sizes[0].startsWith('line 0\n')) throw new Error('misread');
          await w.sleep(20);
        }
      },
      LOOK,
    ],
    [
      'async-context',
      'carries a context through thousands of promises, timers and emitters',
      async (w) => {
        w.beat();
        const { AsyncLocalStorage, AsyncResource } = await import('node:async_hooks');
        const storage = new AsyncLocalStorage<number>();
        w.every(20, (n) => {
          for (let i = 0; i < 50; i += 1) {
            void storage.run(n * 50 + i, async () => {
              await w.sleep(i);
              await Promise.all([1, 2, 3].map(async () => storage.getStore()));
              const bound = AsyncResource.bind(() => storage.getStore());
              if (storage.exit(bound) !== n * 50 + i) throw new Error('the context is lost');
            });
          }
        });
      },
      LOOK,
    ],
    [
      'keep-alive-server',
      'serves two hundred requests in a row over one connection, over and over',
      async (w) => {
        w.beat();
        const http = await import('node:http');
        const port = w.number('freePort');
        const server = http.createServer((request, response) => {
          request.resume().on('end', () => response.end(JSON.stringify({ path: request.url })));
        });
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        for (;;) {
          for (let n = 0; n < 200; n += 1) {
            await new Promise<void>((resolve, reject) => {
              const request = http.request({ host: '127.0.0.1', port, path: `/${n}`, agent, method: 'POST' });
              request.on('error', reject).on('response', (response) => response.resume().on('end', resolve));
              request.end('x'.repeat(2_000));
            });
          }
          await w.sleep(100);
        }
      },
      {
        ...LOOK,
        permissions: ({ freePort }) => ({ net: { listen: [freePort], connect: [`127.0.0.1:${freePort}`] } }),
      },
    ],
    [
      'short-connections',
      'opens and closes a hundred connections a second',
      async (w) => {
        w.beat();
        const net = await import('node:net');
        w.every(10, () => {
          const socket = net.connect(w.number('echoPort'), '127.0.0.1', () => socket.end('hello'));
          socket.on('error', (error) => {
            throw error;
          });
          setTimeout(() => socket.destroy(), 50);
        });
      },
      { ...LOOK, permissions: ({ echoPort }) => ({ net: { connect: [`127.0.0.1:${echoPort}`] } }) },
    ],
    [
      'standard-classes',
      'uses Intl, URL, TextDecoder, structuredClone and Blob all the time',
      async (w) => {
        w.beat();
        const number = new Intl.NumberFormat('de', { style: 'currency', currency: 'EUR' });
        const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' });
        const segments = new Intl.Segmenter('en', { granularity: 'word' });
        w.every(10, (n) => {
          for (let i = 0; i < 20; i += 1) {
            const url = new URL(`/a/${i}?n=${n}`, 'https://example.test');
            url.searchParams.append('x', number.format(n * i));
            const bytes = new TextEncoder().encode(`${url} ${date.format(n * 86_400_000)}`);
            const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
            const copy = structuredClone({ text, map: new Map([[n, new Set([i])]]), at: new Date(n), bytes });
            if (copy.text !== text || [...segments.segment(text)].length === 0) throw new Error('misread');
            new Blob([text]).slice(1, 3);
            'ä'.localeCompare('z', 'sv');
          }
        });
      },
      LOOK,
    ],
    [
      'weak-cache',
      'keeps a cache of weak references that a registry tidies up',
      (w) => {
        w.beat();
        const cache = new Map<number, WeakRef<object>>();
        const registry = new FinalizationRegistry<number>((key) => cache.delete(key));
        let alive = 0;
        w.every(10, (n) => {
          for (let i = 0; i < 200; i += 1) {
            const value = { n, i, text: `value ${n} ${i}`.padEnd(200, '.') };
            cache.set(n * 200 + i, new WeakRef(value));
            registry.register(value, n * 200 + i);
          }
          for (const ref of [...cache.values()].slice(-50)) if (ref.deref() !== undefined) alive += 1;
          if (alive < 0) throw new Error('never');
        });
      },
      LOOK,
    ],
    [
      'emit-at-its-rate',
      'emits exactly as much as it may',
      async (w) => {
        const from = performance.now();
        for (let n = 0; ; n += 1) {
          const sent = w.ctx.emit(w.event(n));
          const due = from + (n + 1) * 5 - performance.now();
          if (due > 0) await w.sleep(due);
          await sent;
        }
      },
      { watchMs: 6_000, rateLimit: { eventsPerSecond: 200, burst: 20 } },
    ],
    [
      'log-at-its-limit',
      'logs exactly as many lines as it may, each with fields',
      (w) => {
        w.beat();
        const list = Array.from({ length: 40 }, (_, n) => `item ${n}`);
        w.every(100, (n) => {
          for (let i = 0; i < 19; i += 1) w.ctx.log.info(`line ${n} ${i}`, { n, i, list, error: new Error('told') });
        });
      },
      LOOK,
    ],
  ],
);
