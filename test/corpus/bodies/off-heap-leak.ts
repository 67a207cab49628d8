/** Plugins whose memory grows where V8 does not look. */

import { type Body, group } from '../body.ts';

const ENDS = ['recycled:leak', 'recycled:out_of_memory'] as const;
/** May also be refused by a cap. */
const CAPPED = ['recycled:leak', 'recycled:out_of_memory', 'recycled:crash'] as const;

export const OFF_HEAP_LEAK: readonly Body[] = group('off-heap leak', ENDS, [
  [
    'grow-buffers',
    'keeps Buffers',
    (w) => {
      const kept: Buffer[] = [];
      w.every(10, () => kept.push(Buffer.alloc(512 * 1024, 1)));
    },
    { quick: true },
  ],
  [
    'grow-small-buffers',
    'keeps a slice of each pooled Buffer',
    (w) => {
      const kept: Buffer[] = [];
      w.every(5, (n) => {
        for (let i = 0; i < 60; i += 1) kept.push(Buffer.from('x'.repeat(3_000 + (n % 10))));
      });
    },
  ],
  [
    'grow-array-buffers',
    'keeps ArrayBuffers',
    (w) => {
      const kept: Uint8Array[] = [];
      w.every(10, () => kept.push(new Uint8Array(512 * 1024).fill(1)));
    },
  ],
  [
    'grow-one-buffer',
    'takes 1 GB at once',
    () => {
      const kept = Buffer.alloc(1024 * 1024 * 1024, 1);
      setInterval(() => kept.length, 1_000);
    },
  ],
  [
    'grow-shared-memory',
    'keeps SharedArrayBuffers',
    (w) => {
      const kept: Uint8Array[] = [];
      w.every(10, () => kept.push(new Uint8Array(new SharedArrayBuffer(512 * 1024)).fill(1)));
    },
    { expect: CAPPED },
  ],
  [
    'grow-slices-of-shared',
    'keeps slices of the little shared memory that it may have',
    (w) => {
      const cell = new SharedArrayBuffer(32 * 1024);
      new Uint8Array(cell).fill(1);
      // Its slices are made by the language itself then, not by the constructor that counts.
      Object.defineProperty(cell, 'constructor', { value: undefined });
      const kept: SharedArrayBuffer[] = [];
      w.every(5, () => {
        for (let n = 0; n < 16; n += 1) kept.push(cell.slice(0));
      });
    },
    { expect: CAPPED },
  ],
  [
    'grow-wasm',
    'grows WebAssembly memory',
    (w) => {
      const kept: Uint8Array[] = [];
      w.every(20, () => {
        const memory = new w.wasm.Memory({ initial: 16, maximum: 16 });
        kept.push(new Uint8Array(memory.buffer).fill(1));
      });
    },
    { expect: CAPPED },
  ],
  [
    'grow-port-queue',
    'posts to a port of its own that nobody reads',
    (w) => {
      const { port1, port2 } = new MessageChannel();
      const cargo = 'x'.repeat(256 * 1024);
      port2.unref();
      w.every(5, () => port1.postMessage(cargo));
    },
    { expect: CAPPED },
  ],
  [
    'grow-blobs',
    'keeps Blobs',
    (w) => {
      const kept: Blob[] = [];
      w.every(10, () => kept.push(new Blob([new Uint8Array(512 * 1024).fill(1)])));
    },
  ],
  [
    'grow-hashes',
    'keeps unfinished hashes',
    async (w) => {
      const { createHash } = await import('node:crypto');
      const kept: unknown[] = [];
      w.every(5, () => {
        for (let i = 0; i < 400; i += 1) kept.push(createHash('sha512').update('x'));
      });
    },
  ],
  [
    'grow-keys',
    'keeps keys',
    async (w) => {
      const { createSecretKey } = await import('node:crypto');
      const kept: unknown[] = [];
      const material = Buffer.alloc(16 * 1024, 1);
      w.every(5, () => {
        for (let i = 0; i < 16; i += 1) kept.push(createSecretKey(material));
      });
    },
  ],
  [
    'grow-intl',
    'keeps number formats and collators',
    (w) => {
      const kept: unknown[] = [];
      w.every(5, () => {
        for (let i = 0; i < 6; i += 1)
          kept.push(new Intl.DateTimeFormat('de-CH', { dateStyle: 'full', timeStyle: 'full' }));
      });
    },
    { expect: [...ENDS, 'recycled:hang'] },
  ],
  [
    'grow-patterns',
    'keeps URL patterns',
    (w) => {
      const kept: unknown[] = [];
      w.every(5, (n) => {
        for (let i = 0; i < 60; i += 1) kept.push(new URLPattern({ pathname: `/a/:b${n}/c${i}/*`, search: 'x=(.*)' }));
      });
    },
    { expect: [...ENDS, 'recycled:hang'] },
  ],
  [
    'grow-deflaters',
    'keeps compression streams',
    async (w) => {
      const { createDeflate } = await import('node:zlib');
      const kept: unknown[] = [];
      const cargo = Buffer.alloc(64 * 1024, 'some text to compress ');
      w.every(10, () => {
        const stream = createDeflate({ level: 9, memLevel: 9 });
        stream.write(cargo);
        kept.push(stream);
      });
    },
  ],
  [
    'grow-contexts',
    'keeps TLS contexts',
    async (w) => {
      const { createSecureContext } = await import('node:tls');
      const kept: unknown[] = [];
      w.every(10, () => {
        for (let i = 0; i < 24; i += 1) kept.push(createSecureContext({}));
      });
    },
    { expect: [...ENDS, 'recycled:hang'] },
  ],
  [
    'grow-resolvers',
    'keeps DNS resolvers',
    async (w) => {
      const { Resolver } = await import('node:dns');
      const kept: unknown[] = [];
      w.every(5, () => {
        for (let i = 0; i < 40; i += 1) kept.push(new Resolver());
      });
    },
    { expect: [...ENDS, 'recycled:hang'] },
  ],
  [
    'grow-external-text',
    'keeps texts decoded from bytes',
    (w) => {
      const kept: string[] = [];
      const bytes = Buffer.alloc(1024 * 1024, 'x');
      w.every(20, (n) => kept.push(bytes.toString('latin1', n % 10)));
    },
  ],
  [
    'grow-streams',
    'keeps streams with unread chunks',
    (w) => {
      const kept: unknown[] = [];
      w.every(10, () =>
        kept.push(
          new ReadableStream({
            start: (controller) => controller.enqueue(new Uint8Array(512 * 1024).fill(1)),
          }),
        ),
      );
    },
  ],
  [
    'grow-slowly',
    'keeps 10 MB a second outside the heap',
    (w) => {
      const kept: Buffer[] = [];
      w.every(100, () => kept.push(Buffer.alloc(1024 * 1024, 1)));
    },
    { watchMs: 20_000 },
  ],
]);
