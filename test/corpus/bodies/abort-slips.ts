/** Slips: arguments of public functions that reach an assertion of native code, or a loop in it that nothing ends. */

import { type Body, group } from '../body.ts';

export const ABORT_SLIPS: readonly Body[] = group(
  'abort',
  ['denied'],
  [
    [
      'native-slips',
      'gives public functions what Node lets pass and its native code does not',
      async (w) => {
        const crypto = await import('node:crypto');
        const fs = await import('node:fs');
        const net = await import('node:net');
        const tls = await import('node:tls');
        const http2 = await import('node:http2');
        const { AsyncResource } = await import('node:async_hooks');
        const { Duplex } = await import('node:stream');
        const stream = (): object => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
        const bits = 2 ** 31;
        const deeds: Record<string, () => unknown> = {
          'null as the end of a search': () => w.call(Buffer.from('abc'), 'indexOf', 'b', 0, null),
          'an object as the end of a search': () => w.call(Buffer.from('abc'), 'includes', 3, 0, {}),
          'a mode of 32 bits': () => fs.openSync('/', 'r', bits),
          'a mode of 32 bits in a promise': () => fs.promises.mkdir('/none', { mode: bits }),
          'minus zero as a process': async () => (await import('node:os')).getPriority(-0),
          'an object to be hashed': () =>
            w.call(
              crypto.createHash('sha256', { objectMode: true }).on('error', () => undefined),
              'write',
              {},
            ),
          'a key of 4 GB': () => crypto.hkdfSync('sha256', 'k', 's', 'i', 2 ** 32),
          'an aad of 2 GB': () =>
            crypto
              .createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12))
              .setAAD(Buffer.alloc(1), { plaintextLength: bits }),
          'a flow label of 32 bits': () => new net.SocketAddress({ family: 'ipv6', flowlabel: bits }),
          'a key before there is one': () => new tls.TLSSocket(stream() as never).getEphemeralKeyInfo(),
          'frames of no size': () =>
            http2
              .connect('http://a', { createConnection: stream as never })
              .on('error', () => undefined)
              .settings({ maxFrameSize: Number.NaN }),
          'a scope of nothing': () => AsyncResource.prototype.runInAsyncScope.call({} as never, () => undefined),
        };
        for (const [name, deed] of Object.entries(deeds)) {
          await w.attempt(name, async () => {
            await deed();
            return null;
          });
        }
      },
    ],
    [
      'search-for-ever',
      'asks native code for what it never finds: primes that there are none of, corrections by the million million',
      async (w) => {
        const crypto = await import('node:crypto');
        const { createHistogram } = await import('node:perf_hooks');
        const none = { add: 5n, rem: 0n };
        const histogram: object = createHistogram();
        for (let n = 0; n < 8; n += 1) {
          await w.attempt(`a prime from the pool, ${n}`, () => {
            crypto.generatePrime(64, none, () => undefined);
            return 'it was taken';
          });
        }
        await w.attempt('a prime', () => crypto.generatePrimeSync(64, { ...none, safe: true }));
        await w.attempt('corrections', () => w.call(histogram, 'recordCorrected', 2 ** 53 - 1, 1) ?? 'it was taken');
        await w.attempt('buckets', () => {
          w.call(histogram, 'record', 2 ** 50);
          return w.call(histogram, 'linearBuckets', 1);
        });
        await w.attempt('buckets that do not grow', () => w.call(histogram, 'logBuckets', 5, 1.5));
      },
    ],
  ],
);
