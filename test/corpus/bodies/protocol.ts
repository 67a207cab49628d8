/** Plugins that speak on the wires of their own thread. The wires are hidden; whoever finds one is ended by what it says. */

import { type Body, group } from '../body.ts';

const CONTAINED = [
  'denied',
  'recycled:protocol',
  'recycled:flood',
  'recycled:exited',
  'recycled:crash',
  'recycled:hang',
  'recycled:unhealthy',
] as const;

export const PROTOCOL: readonly Body[] = group('protocol', CONTAINED, [
  [
    'speak-nonsense',
    'posts values of every kind',
    async (w) => {
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      const values = [
        null,
        0,
        'text',
        true,
        [],
        {},
        circle,
        new Date(),
        new Map([[1, 2]]),
        new Error('e'),
        { kind: 'unheard' },
        { kind: 'log' },
        10n ** 1000n,
      ];
      for (const { post } of await w.wires()) for (const value of values) post(value);
    },
    { quick: true },
  ],
  [
    'flood-wires',
    'posts a million messages',
    async (w) => {
      const wires = await w.wires();
      if (wires.length === 0) return;
      for (let n = 0; n < 1_000_000; n += 1) for (const { post } of wires) post({ kind: 'made up', n });
    },
  ],
  [
    'flood-own-generation',
    'posts log lines of its own generation without end',
    async (w) => {
      const wires = await w.wires();
      const records = Array.from({ length: 1_000 }, () => ({
        level: 'info',
        message: 'x'.repeat(1_000),
        at: 0,
        fields: '',
      }));
      for (let n = 0; n < 3_000; n += 1) {
        for (let generation = 1; generation < 40; generation += 1) {
          for (const { post } of wires) post({ kind: 'log', generation, records: records.slice(0, 25), dropped: 0 });
        }
      }
    },
  ],
  [
    'flood-large-messages',
    'posts messages of 16 MB',
    async (w) => {
      const text = 'x'.repeat(16 * 1024 * 1024);
      const wires = await w.wires();
      for (let n = 0; n < 100; n += 1) for (const { post } of wires) post({ kind: 'frame', lines: text });
    },
    { expect: [...CONTAINED, 'recycled:leak', 'recycled:out_of_memory'] },
  ],
  [
    'forge-frames',
    'posts frames that contradict themselves',
    async (w) => {
      const good = {
        kind: 'frame',
        generation: 1,
        sequence: 0,
        count: 1,
        types: ['happened'],
        typeIndex: '\0',
        lines: '{}',
      };
      const bad = [
        { count: -1 },
        { count: 1e9 },
        { count: Number.NaN },
        { sequence: 99 },
        { types: [] },
        { types: 'x' },
        { typeIndex: '' },
        { typeIndex: '\x05' },
        { lines: 5 },
        { lines: '' },
        { generation: 1e9 },
        { lines: '{}\n{}\n{}' },
      ];
      for (const { post } of await w.wires()) {
        for (let generation = 1; generation < 20; generation += 1)
          for (const fault of bad) post({ ...good, generation, ...fault });
      }
    },
  ],
  [
    'forge-answers',
    'answers calls that were not made, with a live proxy',
    async (w) => {
      for (const { post } of await w.wires()) {
        const { port1 } = new MessageChannel();
        post({ id: '1', type: 'HANDLER', name: 'proxy', value: port1 });
        for (let n = 0; n < 100; n += 1) post({ id: `${n}`, type: 'RAW', value: { ok: true, value: null } });
        post({ type: 'RELEASE', id: 'x' });
      }
    },
  ],
  [
    'close-wires',
    'closes every port it finds',
    async (w) => {
      for (const { target } of await w.wires()) w.call(target, 'close');
      await w.sleep(200);
    },
  ],
  [
    'transfer-wires',
    'transfers its ports into each other',
    async (w) => {
      const wires = await w.wires();
      for (const { target } of wires) {
        for (const other of wires) {
          try {
            w.call(target, 'postMessage', { stolen: other.target }, [other.target]);
          } catch {}
        }
      }
      await w.sleep(200);
    },
  ],
  [
    'poison-messages',
    'posts what cannot be read on the other side',
    async (w) => {
      const { createSecretKey } = await import('node:crypto');
      for (const { post } of await w.wires()) {
        for (const value of [
          createSecretKey(Buffer.alloc(8)),
          new Blob(['x']),
          new MessageChannel().port1,
          new AbortController().signal,
        ]) {
          try {
            post(value);
          } catch {}
        }
      }
      await w.sleep(200);
    },
  ],
  [
    'silence-pulse',
    'takes the messages that are not for it',
    async (w) => {
      for (const { target } of await w.wires()) {
        (target as { onmessage: unknown }).onmessage = null;
        w.call(target, 'removeAllListeners');
      }
      await w.sleep(200);
    },
  ],
  [
    'write-to-pipes',
    'writes nonsense into the descriptors that may be its wires',
    async (w) => {
      const fs = await import('node:fs');
      for (let fd = 3; fd < 20; fd += 1)
        await w.attempt(`descriptor ${fd}`, () => fs.writeSync(fd, Buffer.alloc(64, 255)) > 0);
    },
  ],
  [
    'process-channel',
    'speaks to the host over the channel of a child process',
    async (w) => {
      await w.attempt('process.send', () => w.call(process, 'send', { kind: 'made up' }));
      await w.attempt('process.disconnect', () => w.call(process, 'disconnect') ?? 'disconnected');
      await w.attempt('process.channel', () => w.get(process, 'channel'));
    },
  ],
]);
