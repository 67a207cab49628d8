/** Plugins whose thread stands still, or never rests. */

import { type Body, group } from '../body.ts';

const ENDS = ['recycled:hang'] as const;
/** What also takes memory while it stands still may be ended for that. */
const ENDS_OR_FULL = ['recycled:hang', 'recycled:out_of_memory', 'recycled:leak'] as const;

export const HANG: readonly Body[] = group('hang', ENDS, [
  [
    'loop',
    'loops without end',
    () => {
      for (;;);
    },
    { quick: true },
  ],
  [
    'loop-in-microtasks',
    'queues a microtask in each microtask',
    () => {
      const again = (): void => queueMicrotask(again);
      again();
    },
  ],
  [
    'loop-in-ticks',
    'queues a tick in each tick',
    () => {
      const again = (): void => process.nextTick(again);
      again();
    },
  ],
  [
    'loop-in-promises',
    'awaits without end',
    async () => {
      for (;;) await null;
    },
  ],
  [
    'spin',
    'keeps its loop alive and a core busy with setImmediate',
    () => {
      const again = (): void => void setImmediate(again);
      again();
    },
    { quick: true },
  ],
  [
    'spin-in-timers',
    'burns all but a moment of each turn',
    (w) =>
      w.every(1, () => {
        const until = performance.now() + 50;
        while (performance.now() < until);
      }),
  ],
  ['slow-regex', 'matches a pattern that backtracks for ever', () => /^(?:a+)+$/.test(`${'a'.repeat(60)}b`)],
  [
    'wait-on-atomics',
    'waits on an atomic that nobody notifies',
    () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  ],
  [
    'loop-in-wasm',
    'loops in WebAssembly',
    (w) => {
      const loop = [
        0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0,
        11, 11,
      ];
      const { exports } = new w.wasm.Instance(new w.wasm.Module(new Uint8Array(loop)));
      (exports as { f(): void }).f();
    },
    { expect: ['recycled:hang', 'recycled:crash'] },
  ],
  [
    'loop-in-sort',
    'sorts with a comparator that never ends',
    () =>
      [3, 1, 2].sort(() => {
        for (;;);
      }),
  ],
  [
    'loop-in-getter',
    'emits an event whose getter never returns',
    (w) =>
      w.ctx.emit({
        type: 'happened',
        resourceName: 'thing',
        get message(): string {
          for (;;);
        },
      }),
  ],
  [
    'loop-in-compressors',
    'makes one compressor after another without a pause',
    async () => {
      const zlib = await import('node:zlib');
      for (;;) zlib.createBrotliCompress().destroy();
    },
    { expect: ['recycled:hang', 'recycled:leak', 'recycled:out_of_memory'] },
  ],
  [
    'loop-in-json',
    'emits an event whose toJSON never returns',
    (w) =>
      w.ctx.emit({
        type: 'happened',
        resourceName: 'thing',
        message: 'm',
        metadata: {
          toJSON: () => {
            for (;;);
          },
        },
      }),
  ],
  [
    'loop-on-exit',
    'loops in its exit handler and exits',
    () => {
      process.on('exit', () => {
        for (;;);
      });
      process.exit(0);
    },
    { expect: ['recycled:hang', 'recycled:exited', 'recycled:crash'] },
  ],
  [
    'bigint',
    'multiplies numbers of a million digits',
    () => {
      let n = 3n ** 200_000n;
      for (;;) n = (n * n) % 7n ** 400_000n;
    },
    { expect: ENDS_OR_FULL },
  ],
  [
    'unzip-bomb',
    'inflates a bomb over and over',
    async () => {
      const zlib = await import('node:zlib');
      const bomb = zlib.gzipSync(Buffer.alloc(16 * 1024 * 1024));
      for (;;) zlib.gunzipSync(bomb);
    },
    { expect: ENDS_OR_FULL },
  ],
  [
    'parse-for-ever',
    'parses a document of a million nested lists over and over',
    () => {
      const text = `[${'[1],'.repeat(1_000_000)}1]`;
      for (;;) JSON.parse(text);
    },
    { expect: ENDS_OR_FULL },
  ],
  [
    'derive-key',
    'derives a key with a cost that takes minutes',
    async () => {
      const crypto = await import('node:crypto');
      crypto.pbkdf2Sync('p', 's', 30_000_000, 64, 'sha512');
    },
    { expect: ['recycled:hang', 'recycled:crash'] },
  ],
  [
    'timer-storm',
    'sets a hundred thousand timers that are all due',
    () => {
      const busy = (): void => {
        let sum = 0;
        for (let i = 0; i < 20_000; i += 1) sum += i;
        if (sum < 0) throw new Error('never');
      };
      for (let n = 0; n < 100_000; n += 1) setInterval(busy, 1);
    },
    { expect: ENDS_OR_FULL },
  ],
  [
    'hang-in-start',
    'loops in start',
    {
      start: () => {
        for (;;);
      },
    },
    { expect: ['recycled:hang', 'recycled:failed_start'], limits: { startTimeout: '4s' } },
  ],
  [
    'hang-on-load',
    'loops while it is imported',
    'for (;;);\n',
    { expect: ['recycled:hang', 'recycled:failed_start'], limits: { startTimeout: '4s' } },
  ],
]);
