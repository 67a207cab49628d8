/** Ways to end a process with nothing but public functions and the language itself, and natives in more places. */

import { type Body, group } from '../body.ts';

const TAKES_ITS_PROCESS = ['recycled:crash', 'recycled:exited', 'recycled:hang', 'denied'] as const;
const MAY_TAKE_THE_HOST = { thread: ['host died', 'denied', 'recycled:crash'], process: TAKES_ITS_PROCESS } as const;
const HELD = ['denied', 'recycled:crash', 'recycled:leak', 'recycled:out_of_memory'] as const;

export const ABORT_MORE: readonly Body[] = group('abort', MAY_TAKE_THE_HOST, [
  [
    'abort-in-natives',
    'calls every method of every native object that it finds with the wrong arguments',
    async (w) => {
      const crypto = await import('node:crypto');
      const net = await import('node:net');
      const { createHistogram } = await import('node:perf_hooks');
      const dns = await import('node:dns');
      const v8 = await import('node:v8');
      const { StringDecoder } = await import('node:string_decoder');
      const found: Record<string, unknown> = {
        blob: new Blob(['x']),
        'block list': new net.BlockList(),
        'socket address': new net.SocketAddress({}),
        histogram: createHistogram(),
        decoder: new StringDecoder('utf8'),
        'text decoder': new TextDecoder('utf-16be'),
        serializer: new v8.Serializer(),
        key: crypto.createSecretKey(Buffer.alloc(16)),
        hmac: crypto.createHmac('sha256', 'k'),
        sign: crypto.createSign('sha256'),
        cipher: crypto.createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)),
        curve: crypto.createECDH('prime256v1'),
        resolver: new dns.Resolver(),
      };
      for (const [name, object] of Object.entries(found)) {
        const parts = Reflect.ownKeys(object as object).map((key) => w.get(object, key));
        for (const part of [object, ...parts]) {
          if (typeof part !== 'object' || part === null) continue;
          const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(part) ?? {});
          for (const method of methods) {
            for (const args of [[], [1], [{}, {}, {}, {}], [Buffer.alloc(1), -1, -1]]) {
              await w.attempt(`${name}.${method}(${args.length})`, () => {
                if (method !== 'constructor') w.call(part, method, ...args);
                return null;
              });
            }
          }
        }
      }
    },
  ],
  [
    'abort-in-sizes',
    'splits a text into more pieces than an array can have',
    (w) =>
      w.attempt('split', () => {
        const { length } = 'x'.repeat(2 ** 28).split('');
        return length < 0 && length;
      }),
    {
      expect: {
        thread: ['host died', 'recycled:out_of_memory', 'recycled:leak', 'denied'],
        process: [...TAKES_ITS_PROCESS, 'recycled:out_of_memory'],
      },
    },
  ],
  [
    'abort-in-code-cache',
    'runs scripts out of code caches that it spoiled',
    async (w) => {
      const vm = await import('node:vm');
      await w.attempt('a spoiled code cache', () => {
        let isTaken = false;
        for (let n = 0; n < 60; n += 1) {
          // Another text of the same length each time: a script that was compiled once is not read from a cache.
          const text = (k: number): string =>
            `(function(){ const n = ${1_000 + k}; return (a, b) => ({ n, list: [1, 2, 3, "abc"].map((c) => c + a + b) }); })()`;
          const cache = new vm.Script(text(n)).createCachedData();
          for (let k = 0; k < 4; k += 1) cache[32 + Math.floor(Math.random() * (cache.length - 32))] = n;
          const script = new vm.Script(text(n + 100), { cachedData: cache });
          isTaken ||= script.cachedDataRejected === false;
          script.runInThisContext()(1, 2);
        }
        return isTaken;
      });
    },
    { expect: { thread: HELD, process: [...TAKES_ITS_PROCESS, ...HELD] } },
  ],
  [
    'abort-in-transfer',
    'gives away the memory in which the thread pool is at work',
    async (w) => {
      const crypto = await import('node:crypto');
      const zlib = await import('node:zlib');
      const give = async (start: (bytes: Buffer) => unknown): Promise<null> => {
        for (let n = 0; n < 4; n += 1) {
          const memory = new ArrayBuffer(2_000_000);
          start(Buffer.from(memory));
          structuredClone(memory, { transfer: [memory] });
          const other = new ArrayBuffer(2_000_000);
          start(Buffer.from(other));
          w.call(other, 'transfer', 0);
          const resizable = new ArrayBuffer(2_000_000, { maxByteLength: 2_000_000 });
          start(Buffer.from(resizable));
          w.call(resizable, 'resize', 0);
        }
        await w.sleep(300);
        return null;
      };
      const ignore = (): void => undefined;
      await w.attempt('randomFill', () => give((bytes) => crypto.randomFill(bytes, ignore)));
      await w.attempt('deflate', () => give((bytes) => zlib.deflate(bytes, ignore)));
      await w.attempt('a deflating stream', () =>
        give((bytes) => zlib.createDeflate().on('error', ignore).write(bytes)),
      );
      await w.attempt('brotli', () => give((bytes) => zlib.brotliCompress(bytes, ignore)));
      await w.attempt('pbkdf2', () => give((bytes) => crypto.pbkdf2(bytes, bytes, 100, 32, 'sha256', ignore)));
      await w.attempt('scrypt', () => give((bytes) => crypto.scrypt(bytes, bytes, 32, { N: 2 }, ignore)));
      await w.attempt('hkdf', () => give((bytes) => crypto.hkdf('sha256', bytes, bytes, '', 32, ignore)));
      await w.attempt('digest', () => give((bytes) => void crypto.subtle.digest('SHA-256', bytes as never)));
      await w.attempt('checkPrime', () => give((bytes) => crypto.checkPrime(bytes.subarray(0, 100), ignore)));
      const { privateKey } = crypto.generateKeyPairSync('ed25519');
      await w.attempt('sign', () => give((bytes) => crypto.sign(null, bytes, privateKey, ignore)));
      await w.attempt('the room for what is compressed', async () => {
        for (let n = 0; n < 4; n += 1) {
          const stream = zlib.createDeflate({ chunkSize: 1_000_000 }).on('error', ignore);
          stream.write(Buffer.alloc(2_000_000, 'some text'));
          const room = w.get(stream, '_outBuffer') as Buffer;
          w.call(room.buffer, 'transfer', 0);
        }
        await w.sleep(300);
        return null;
      });
    },
    { expect: { thread: HELD, process: [...TAKES_ITS_PROCESS, ...HELD] } },
  ],
]);
