/** One line of JavaScript that reaches an assertion in C++ and takes the whole process. Not to be closed in a thread: the keeper has it back. */

import { type Body, group } from '../body.ts';

/** In a process of its own it takes only that. */
const TAKES_ITS_PROCESS = ['recycled:crash', 'recycled:exited', 'denied'] as const;
const MAY_TAKE_THE_HOST = { thread: ['host died', 'denied', 'recycled:crash'], process: TAKES_ITS_PROCESS } as const;
const HELD = { thread: ['denied', 'recycled:crash'], process: TAKES_ITS_PROCESS } as const;

export const ABORT: readonly Body[] = group('abort', MAY_TAKE_THE_HOST, [
  [
    'abort-in-zlib',
    'calls the native handle of a zlib stream with the wrong arguments',
    async (w) => {
      const zlib = await import('node:zlib');
      await w.attempt('_handle.init', () => void w.call(w.get(zlib.createGzip(), '_handle'), 'init', 1));
    },
    { expect: HELD },
  ],
  [
    'abort-in-hash',
    'calls the native handle of a hash with the wrong arguments',
    async (w) => {
      const { createHash } = await import('node:crypto');
      await w.attempt('kHandle.update', () => {
        const hash = createHash('sha256');
        const handle = Object.getOwnPropertySymbols(hash).find(({ description }) => description === 'kHandle');
        w.call(w.get(hash, handle ?? ''), 'update');
      });
    },
    { quick: true },
  ],
  [
    'abort-in-socket',
    'makes a native socket by its constructor and writes nonsense to it',
    async (w) => {
      const net = await import('node:net');
      await w.attempt('writeUtf8String of a bare handle', () => {
        const server = net.createServer().on('error', () => undefined);
        server.listen(w.number('freePort'), '127.0.0.1');
        const handle = w.get(server, '_handle') as { constructor: new (type: number) => unknown };
        w.call(new handle.constructor(0), 'writeUtf8String');
      });
    },
    { permissions: ({ freePort }) => ({ net: { listen: [freePort] } }), expect: HELD },
  ],
  [
    'abort-in-file-handle',
    'makes a native file handle by its constructor with the wrong arguments',
    async (w) => {
      const fs = await import('node:fs/promises');
      await w.attempt('the constructor of kHandle', async () => {
        const handle = await fs.open(new URL(import.meta.url));
        for (const symbol of Object.getOwnPropertySymbols(handle)) {
          const raw = w.get(handle, symbol) as { constructor?: new (fd: unknown) => unknown } | null;
          if (symbol.description === 'kHandle' && raw?.constructor !== undefined) void new raw.constructor('x');
        }
      });
    },
    { expect: HELD },
  ],
]);
