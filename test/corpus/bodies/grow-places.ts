/** Memory outside every heap, in places of Node that plugins seldom visit. */

import { type Body, group } from '../body.ts';

const FULL = ['recycled:leak', 'recycled:out_of_memory', 'recycled:hang', 'recycled:crash'] as const;

export const GROW_PLACES: readonly Body[] = group('off-heap leak', FULL, [
  [
    'grow-snapshots',
    'takes snapshots of its heap and reads none',
    async (w) => {
      const { getHeapSnapshot } = await import('node:v8');
      const kept: unknown[] = [];
      w.every(50, () => void kept.push(getHeapSnapshot()));
    },
  ],
  [
    'grow-histograms',
    'keeps histograms of the finest kind, each filled from end to end',
    async (w) => {
      const { createHistogram } = await import('node:perf_hooks');
      const kept: unknown[] = [];
      w.every(20, () => {
        const histogram = createHistogram({ lowest: 1, highest: Number.MAX_SAFE_INTEGER, figures: 5 });
        for (let value = 1; value < Number.MAX_SAFE_INTEGER; value *= 1.001) histogram.record(Math.ceil(value));
        kept.push(histogram);
      });
    },
  ],
  [
    'grow-tables',
    'keeps tables of WebAssembly that hold nothing',
    (w) => {
      const kept: unknown[] = [];
      const Table = w.get(w.wasm, 'Table') as new (limits: object) => object;
      w.every(20, () => void kept.push(new Table({ element: 'anyfunc', initial: 200_000 })));
    },
  ],
  [
    'grow-tls',
    'begins TLS over streams of its own and gets no answer',
    async (w) => {
      const tls = await import('node:tls');
      const { Duplex } = await import('node:stream');
      const kept: unknown[] = [];
      const silent = (): object => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
      w.every(10, () => {
        for (let n = 0; n < 20; n += 1)
          kept.push(tls.connect({ socket: silent() as never }).on('error', () => undefined));
      });
    },
  ],
  [
    'grow-sessions',
    'opens HTTP/2 sessions over streams of its own and gets no answer',
    async (w) => {
      const http2 = await import('node:http2');
      const { Duplex } = await import('node:stream');
      const kept: unknown[] = [];
      const silent = (): object => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
      w.every(10, () => {
        for (let n = 0; n < 20; n += 1) {
          const session = http2.connect('http://nowhere', { createConnection: () => silent() as never });
          session.on('error', () => undefined).settings({ headerTableSize: 4_096 });
          kept.push(
            session,
            session.request({ ':path': '/', text: 'x'.repeat(1_000) }).on('error', () => undefined),
          );
        }
      });
    },
  ],
  [
    'grow-ciphers',
    'keeps ciphers, signers and curves that it never finishes',
    async (w) => {
      const crypto = await import('node:crypto');
      const kept: unknown[] = [];
      w.every(10, () => {
        for (let n = 0; n < 500; n += 1) {
          kept.push(crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)));
          kept.push(crypto.createSign('sha512').update('text'), crypto.createECDH('prime256v1'));
        }
      });
    },
  ],
  [
    'grow-certificates',
    'reads the same certificates again and again, and keeps them',
    async (w) => {
      const { X509Certificate } = await import('node:crypto');
      const { rootCertificates } = await import('node:tls');
      const kept: unknown[] = [];
      w.every(10, () => {
        for (const text of rootCertificates.slice(0, 40)) kept.push(new X509Certificate(text));
      });
    },
  ],
  [
    'grow-decoders',
    'keeps decoders of rare encodings, each in the middle of a letter',
    (w) => {
      const kept: unknown[] = [];
      w.every(10, () => {
        for (let n = 0; n < 300; n += 1) {
          const decoder = new TextDecoder('gb18030');
          decoder.decode(new Uint8Array([0x81]), { stream: true });
          kept.push(decoder);
        }
      });
    },
  ],
  [
    'grow-watchers',
    'watches its own files again and again and stops none',
    async (w) => {
      const fs = await import('node:fs');
      const directory = new URL('.', import.meta.url);
      w.every(10, () => {
        for (let n = 0; n < 200; n += 1) fs.watch(directory, () => undefined);
      });
    },
    { expect: [...FULL, 'stays'], watchMs: 10_000 },
  ],
  [
    'grow-compressed',
    'keeps responses whose compressed bodies it began to read',
    (w) => {
      const kept: unknown[] = [];
      w.every(10, () => {
        for (let n = 0; n < 20; n += 1) {
          const stream = new CompressionStream('gzip');
          const writer = stream.writable.getWriter();
          void writer.write(new Uint8Array(10_000)).catch(() => undefined);
          kept.push(stream, writer, stream.readable.getReader());
        }
      });
    },
  ],
]);
