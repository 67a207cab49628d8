/** Native code that computes for minutes, asked for by one harmless-looking call. */

import { type Body, group } from '../body.ts';

export const HANG_ODD: readonly Body[] = group(
  'hang',
  ['recycled:hang', 'recycled:crash', 'denied'],
  [
    [
      'derive-long-keys',
      'derives keys of many megabytes, with few iterations',
      async (w) => {
        const crypto = await import('node:crypto');
        const long = 2 ** 29;
        const deeds: Record<string, () => unknown> = {
          pbkdf2: () => crypto.pbkdf2Sync('password', 'salt', 1_000, long, 'sha512').length,
          scrypt: () => crypto.scryptSync('password', 'salt', long, { N: 2 }).length,
          'Web Crypto': async () => {
            const { subtle } = globalThis.crypto;
            const key = await subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
            const how = { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 2_000 };
            return (await subtle.deriveBits(how, key, long)).byteLength;
          },
          shake: () => crypto.createHash('shake256', { outputLength: 2 ** 31 - 1 }).digest().length,
        };
        for (const [name, deed] of Object.entries(deeds)) await w.attempt(name, deed);
      },
      { watchMs: 20_000 },
    ],
    [
      'compress-in-one-turn',
      'compresses tens of megabytes at the highest level without a pause',
      async () => {
        const zlib = await import('node:zlib');
        const text = Buffer.alloc(30_000_000);
        let x = 1;
        for (let n = 0; n < text.length; n += 1) {
          x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff;
          text[n] = 97 + ((x >> 16) % 3);
        }
        const params = { [zlib.constants.ZSTD_c_compressionLevel]: 22 };
        for (;;) zlib.zstdCompressSync(text, { params, chunkSize: text.length });
      },
      { expect: ['recycled:hang', 'recycled:leak', 'recycled:out_of_memory'], limits: { memoryMb: 512 } },
    ],
    [
      'keys-as-it-hangs',
      'asks the thread pool for keys and loops before one is there',
      (w) => {
        const { subtle } = globalThis.crypto;
        const next = (): void => {
          void subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']).then(next);
        };
        for (let n = 0; n < 8; n += 1) next();
        setTimeout(() => {
          for (;;) w.ctx.name.at(0);
        }, 50);
      },
      { expect: ['recycled:hang'] },
    ],
  ],
);
