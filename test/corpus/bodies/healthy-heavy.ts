/** In good health and at work in heavy parts of Node: each must be left alone. */

import { type Body, group } from '../body.ts';

const LOOK = { watchMs: 6_000 } as const;
const SELF = {
  permissions: ({ freePort }: { freePort: number }) => ({
    net: { listen: [freePort], connect: [`127.0.0.1:${freePort}`] },
  }),
} as const;

export const HEALTHY_HEAVY: readonly Body[] = group(
  'healthy',
  ['stays'],
  [
    [
      'multiplexed-server',
      'serves HTTP/2 to itself, fifty requests at a time over one session',
      async (w) => {
        const http2 = await import('node:http2');
        const port = w.number('freePort');
        const server = http2.createServer((request, response) => {
          request.resume();
          response.end('x'.repeat(2_000));
        });
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
        w.beat();
        const session = http2.connect(`http://127.0.0.1:${port}`);
        w.every(100, () => {
          for (let n = 0; n < 50; n += 1)
            session
              .request({ ':path': `/${n}` })
              .resume()
              .end();
          session.ping(() => undefined);
        });
      },
      { ...LOOK, ...SELF },
    ],
    [
      'encrypted-connections',
      'opens and closes twenty TLS connections a second to itself, with keys that both sides have',
      async (w) => {
        const tls = await import('node:tls');
        const port = w.number('freePort');
        const both = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
        const psk = Buffer.alloc(16, 7);
        const server = tls.createServer({ ...both, pskCallback: () => psk, pskIdentityHint: 'us' }, (socket) => {
          socket.on('error', () => undefined).resume();
          socket.end('answer');
        });
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
        w.beat();
        w.every(50, () => {
          const pskCallback = (): { psk: Buffer; identity: string } => ({ psk, identity: 'us' });
          const options = { ...both, host: '127.0.0.1', port, pskCallback, checkServerIdentity: () => undefined };
          tls
            .connect(options)
            .on('error', () => undefined)
            .resume()
            .end('question');
        });
      },
      { ...LOOK, ...SELF },
    ],
    [
      'many-deadlines',
      'makes two hundred requests a second that each follow its signal and a deadline of their own',
      (w) => {
        w.beat();
        w.every(5, () => {
          const signal = AbortSignal.any([w.ctx.signal, AbortSignal.timeout(40)]);
          void new Promise((resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
            setTimeout(resolve, 20);
          }).catch(() => undefined);
        });
      },
      LOOK,
    ],
    [
      'log-by-descriptor',
      'logs by descriptor as a fast logger does: pieces of lines, several at once, and short waits',
      async (w) => {
        const fs = await import('node:fs');
        w.beat();
        const cell = new Int32Array(new SharedArrayBuffer(4));
        let lines = '';
        w.every(20, (n) => {
          lines += `${JSON.stringify({ level: 30, time: Date.now(), msg: `number ${n}` })}\n`;
          if (n % 5 !== 0) return;
          const half = Buffer.from(lines);
          fs.writeSync(1, half, 0, half.length >> 1);
          Atomics.wait(cell, 0, 0, 1);
          fs.write(1, half, half.length >> 1, (error) => {
            if (error !== null) throw error;
          });
          lines = '';
        });
      },
      LOOK,
    ],
    [
      'watched-folder',
      'watches its own folder in three ways and reads what is there',
      async (w) => {
        const fs = await import('node:fs');
        const { readdir, readFile } = await import('node:fs/promises');
        const folder = new URL('.', import.meta.url);
        w.beat();
        fs.watch(folder, () => undefined);
        fs.watchFile(new URL('index.js', folder), { interval: 100 }, () => undefined);
        w.every(50, async () => {
          for (const name of await readdir(folder)) await readFile(new URL(name, folder));
          fs.watch(folder, () => undefined).close();
        });
      },
      LOOK,
    ],
    [
      'many-languages',
      'formats, sorts and cuts texts in many languages, and reckons with calendars, a slice at a time',
      (w) => {
        w.beat();
        const words = Array.from({ length: 2_000 }, (_, n) => `wörd ${(n * 7_919) % 2_003} ガ`);
        const locales = ['de', 'sv', 'ja', 'th', 'ar-EG', 'hi', 'zh-Hant', 'en-u-ca-hebrew'];
        w.every(100, (n) => {
          const locale = locales[n % locales.length] as string;
          words.sort(new Intl.Collator(locale).compare);
          new Intl.DateTimeFormat(locale, { dateStyle: 'full' }).format(n * 1e9);
          new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' }).format(n / 3);
          Array.from(new Intl.Segmenter(locale, { granularity: 'word' }).segment(words.slice(0, 100).join(' ')));
        });
      },
      LOOK,
    ],
    [
      'keys-all-the-time',
      'lets keys be made, wrapped and thrown away all the time, a few at once',
      (w) => {
        w.beat();
        const { subtle } = globalThis.crypto;
        const next = async (): Promise<void> => {
          for (;;) {
            const key = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['wrapKey', 'unwrapKey']);
            const inner = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
            await subtle.wrapKey('raw', inner, key, { name: 'AES-GCM', iv: new Uint8Array(12) });
            await w.sleep(5);
          }
        };
        for (let n = 0; n < 3; n += 1) void next();
      },
      LOOK,
    ],
    [
      'gathered-blob',
      'gathers a body of five hundred pieces in a Blob of Blobs, and reads it, over and over',
      async (w) => {
        w.beat();
        for (;;) {
          let body = new Blob([]);
          for (let n = 0; n < 500; n += 1) {
            body = new Blob([body, 'piece']);
            if (n % 50 === 0) await w.sleep(5);
          }
          if ((await body.slice(0, 2_500).text()).length !== 2_500) throw new Error('a part is missing');
          await w.sleep(200);
        }
      },
      LOOK,
    ],
  ],
);
