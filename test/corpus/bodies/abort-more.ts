/** Native objects that stand in more places: each called with what it does not expect, in a thread that must not take the host if it can be helped. */

import { type Body, group } from '../body.ts';

const TAKES_ITS_PROCESS = ['recycled:crash', 'recycled:exited', 'recycled:hang', 'denied'] as const;

export const ABORT_MORE: readonly Body[] = group(
  'abort',
  { thread: ['host died', 'denied', 'recycled:crash'], process: TAKES_ITS_PROCESS },
  [
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
  ],
);
