/** In good health, and at the edge of what may be: near a limit, or with builtins that a library has replaced. Each emits all the while. */

import { type Body, group } from '../body.ts';

const LOOK = { watchMs: 5_000 } as const;

export const HEALTHY_ODD: readonly Body[] = group(
  'healthy',
  ['stays'],
  [
    [
      'patched-builtins',
      'has a library that puts its own functions before those of the language, and calls them',
      async (w) => {
        const { EventEmitter } = await import('node:events');
        let calls = 0;
        const patch = (owner: object, key: string): void => {
          const original = w.get(owner, key) as (...args: unknown[]) => unknown;
          Object.defineProperty(owner, key, {
            configurable: true,
            writable: true,
            value(this: unknown, ...args: unknown[]) {
              calls += 1;
              return Reflect.apply(original, this, args);
            },
          });
        };
        patch(Promise.prototype, 'then');
        patch(JSON, 'stringify');
        patch(JSON, 'parse');
        patch(EventEmitter.prototype, 'emit');
        patch(Array.prototype, 'push');
        patch(Map.prototype, 'set');
        for (const name of ['setTimeout', 'setInterval', 'queueMicrotask', 'fetch', 'structuredClone'])
          patch(globalThis, name);
        for (const name of ['log', 'warn', 'error']) patch(console, name);
        Error.stackTraceLimit = 50;
        w.beat();
        w.every(100, (n) => {
          console.log(`line ${n}`, { calls });
          void Promise.resolve(n).then(() => JSON.parse(JSON.stringify({ n })));
        });
      },
      LOOK,
    ],
    [
      'sawtooth',
      'gathers 40 MB in two seconds, lets all of it go, and gathers again',
      (w) => {
        w.beat();
        let batch: unknown[] = [];
        w.every(10, (n) => {
          if (n % 200 === 0) batch = [];
          for (let i = 0; i < 700; i += 1) batch.push({ n, i, text: `${n}-${i}`.padEnd(60, '.') });
        });
      },
      { watchMs: 7_000 },
    ],
    [
      'seven-tenths-busy',
      'computes for seven tenths of the time',
      (w) => {
        w.beat();
        w.every(100, () => {
          const until = performance.now() + 70;
          while (performance.now() < until);
        });
      },
      { watchMs: 6_000 },
    ],
    [
      'keys-and-signatures',
      'makes keys, derives, signs, verifies and encrypts in every usual way',
      async (w) => {
        w.beat();
        const crypto = await import('node:crypto');
        const { promisify } = await import('node:util');
        const pair = await promisify(crypto.generateKeyPair)('rsa', { modulusLength: 2048 });
        const hash = promisify(crypto.scrypt) as (word: string, salt: Buffer, bytes: number) => Promise<Buffer>;
        for (;;) {
          const data = crypto.randomBytes(50_000);
          const signature = crypto.sign('sha256', data, pair.privateKey);
          if (!crypto.verify('sha256', data, pair.publicKey, signature)) throw new Error('not its signature');
          const filled = (await promisify(crypto.randomFill)(Buffer.alloc(64))) as Buffer;
          await hash('password', filled, 64);
          const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']);
          const iv = crypto.getRandomValues(new Uint8Array(12));
          const secret = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key as never, data as never);
          const back = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key as never, secret);
          if (!Buffer.from(back).equals(data)) throw new Error('not what was encrypted');
          await w.sleep(100);
        }
      },
      LOOK,
    ],
    [
      'many-measurements',
      'measures five thousand times a second in sixty series',
      (w) => {
        w.beat();
        const counter = w.ctx.metrics.counter({ name: 'turns_total', help: 'Turns.' });
        const gauge = w.ctx.metrics.gauge({ name: 'depth', help: 'Depth.' });
        const histogram = w.ctx.metrics.histogram({ name: 'turn_seconds', help: 'Turn.' });
        w.every(10, (n) => {
          for (let i = 0; i < 17; i += 1) {
            counter.inc(1, { part: `${i % 20}` });
            gauge.set(n, { part: `${i % 20}` });
            histogram.observe(i / 100, { part: `${i % 20}` });
          }
        });
      },
      LOOK,
    ],
    [
      'large-downloads',
      'serves 8 MB to itself and reads them, over and over',
      async (w) => {
        w.beat();
        const http = await import('node:http');
        const { Readable } = await import('node:stream');
        const port = w.number('freePort');
        const piece = Buffer.alloc(64 * 1024, 'x');
        const server = http.createServer((_request, response) => {
          Readable.from(Array.from({ length: 128 }, () => piece)).pipe(response);
        });
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
        for (;;) {
          const response = await fetch(`http://127.0.0.1:${port}/`);
          let bytes = 0;
          for await (const chunk of response.body as AsyncIterable<Uint8Array>) bytes += chunk.length;
          if (bytes !== 128 * piece.length) throw new Error(`read ${bytes} bytes`);
          await w.sleep(100);
        }
      },
      {
        ...LOOK,
        permissions: ({ freePort }) => ({ net: { listen: [freePort], connect: [`127.0.0.1:${freePort}`] } }),
      },
    ],
  ],
);
