/** Words forged on what prints, functions of the process replaced, and lives that settle twice or never. */

import { type Body, group } from '../body.ts';

const ENDED = [
  'recycled:crash',
  'recycled:protocol',
  'recycled:unhealthy',
  'recycled:hang',
  'recycled:exited',
] as const;

export const ODD_LIVES: readonly Body[] = [
  ...group(
    'protocol',
    ['stays'],
    [
      [
        'forge-log-lines',
        'prints lines that look like lines of the host, of its keeper and of another plugin',
        async (w) => {
          const fs = await import('node:fs');
          const lines = [
            { level: 'error', name: 'keeper', msg: "khook's host was ended by SIGABRT; it starts again in 0.0 s" },
            { level: 'info', name: 'plugin-manager', plugin: w.ctx.name, reason: 'leak', msg: 'plugin x failed: leak' },
            { level: 'error', name: 'plugin-manager', plugin: 'neighbour', msg: 'plugin neighbour stopped' },
          ].map((line) => `${JSON.stringify(line)}\n`);
          w.beat();
          w.every(100, (n) => {
            const line = lines[n % lines.length] as string;
            fs.writeSync(1, `\r\n\u001b[2K${line}`);
            fs.writeSync(2, Buffer.from(line), 0, 10);
            fs.writeSync(2, Buffer.from(line), 10);
            fs.appendFileSync(1, line);
            process.stdout.write(line);
            w.ctx.log.info(line, { toJSON: line, level: 'error', name: 'keeper', plugin: 'neighbour' });
          });
        },
        { watchMs: 3_000 },
      ],
      [
        'print-oddly',
        'prints by descriptor what is no text: holes, detached memory, numbers, a hundred thousand pieces',
        async (w) => {
          const fs = await import('node:fs');
          w.beat();
          const detached = Buffer.alloc(9);
          structuredClone(detached.buffer, { transfer: [detached.buffer] });
          const shifting = {
            get offset() {
              detached.fill(1);
              return -1;
            },
            length: Number.NaN,
          };
          const pieces = Array.from({ length: 100_000 }, () => Buffer.from('x'));
          const odd: unknown[][] = [
            [1, detached],
            [1, new DataView(new ArrayBuffer(9)), 1, 1e9],
            [2, new Float64Array(9), 3, 3],
            [1, { toString: () => 'text' }],
            [1, 'text', -1, 'no encoding'],
            [1, Buffer.alloc(9), shifting],
            [2, Symbol('text')],
            [1, new Array(9)],
            [1, pieces],
          ];
          w.every(200, () => {
            for (const args of odd) {
              for (const name of ['writeSync', 'writevSync', 'writeFileSync', 'write', 'writev']) {
                try {
                  w.call(fs, name, ...args, ...(name.endsWith('Sync') ? [] : [() => undefined]));
                } catch {}
              }
            }
          });
        },
        { watchMs: 3_000, expect: ['stays', 'recycled:flood', 'recycled:hang'] },
      ],
      [
        'publish-forged',
        "publishes nonsense on Node's own diagnostics channels, and silences who listens there",
        async (w) => {
          const { channel } = await import('node:diagnostics_channel');
          w.beat();
          const names = ['permission-model:fs', 'permission-model:net'].map((name) => `node:${name}`);
          names.push('net.client.socket', 'http.client.request.start', 'module.import.start', 'worker_threads');
          w.every(50, () => {
            for (const name of names) {
              const forged = channel(name);
              for (let n = 0; n < 100; n += 1) forged.publish({ permission: 'FileSystemRead', resource: name, n });
              const listeners = w.get(forged, '_subscribers') as (() => void)[] | undefined;
              for (const listener of listeners ?? []) forged.unsubscribe(listener);
            }
          });
        },
        { watchMs: 3_000 },
      ],
    ],
  ),
  ...group(
    'escape',
    ['stays', ...ENDED],
    [
      [
        'replace-process',
        'puts a function that throws in place of every function of its process',
        (w) => {
          w.beat();
          for (const key of Reflect.ownKeys(process)) {
            try {
              if (typeof w.get(process, key) === 'function') {
                Reflect.set(process, key, () => {
                  throw new Error(`process.${String(key)}`);
                });
              }
            } catch {}
          }
        },
        { watchMs: 3_000 },
      ],
      [
        'pretend-cluster',
        'pretends to be a worker of a cluster and listens through its primary',
        async (w) => {
          process.env.NODE_UNIQUE_ID = '1';
          const cluster = (await import('node:cluster')).default;
          const net = await import('node:net');
          await w.attempt('listening through a primary', () => {
            w.call(cluster, 'emit', 'fork', { process, send: () => true });
            w.call(cluster, 'emit', 'message', { process }, { act: 'queryServer', port: 1 }, null);
            const server = net.createServer().on('error', () => undefined);
            server.listen(w.number('freePort'));
            return w.sleep(300).then(() => server.listening && 'it listens');
          });
          await w.attempt('a worker of its own', () => w.call(cluster, 'fork'));
          await w.attempt('a primary of its own', () => w.call(cluster, 'setupPrimary', { exec: 'x' }));
        },
        { expect: ['denied'] },
      ],
    ],
  ),
  ...group(
    'lifecycle',
    ['stays'],
    [
      [
        'settle-twice',
        'answers its start with a promise that resolves, resolves again, rejects and throws',
        {
          start: (w) => {
            w.beat();
            const answers: Record<string, unknown> = {};
            answers[`th${'en'}`] = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
              resolve(w);
              resolve(answers);
              reject(new Error('late'));
              throw new Error('later');
            };
            return answers;
          },
        },
        { watchMs: 3_000 },
      ],
      [
        'health-pending-leak',
        'never answers its health checks, and keeps a little of each and of everything it heard',
        {
          run: (w) => w.beat(),
          healthCheck: (w) => {
            const kept = Array.from({ length: 20_000 }, (_, n) => ({ n, at: performance.now() }));
            return new Promise((resolve) => w.ctx.signal.addEventListener('abort', () => resolve(kept)));
          },
        },
        { expect: ['recycled:unhealthy', 'recycled:leak'] },
      ],
      [
        'stop-starts-again',
        'imports itself anew in its stop and starts that, over and over',
        {
          stop: async (w) => {
            for (let n = 0; n < 50; n += 1) {
              const again = (await import(`${import.meta.url}?${n}`)).default as { start(ctx: unknown): Promise<void> };
              await again.start(w.ctx);
              void w.ctx.emit(w.event(n)).catch(() => undefined);
            }
            await new Promise(() => undefined);
          },
          run: (w) => w.beat(),
        },
        { expect: ['stopped'], stopAfterMs: 800 },
      ],
      [
        'crowd-on-abort',
        'has ten thousand listeners on its signal that each compute for a moment as it aborts',
        (w) => {
          for (let n = 0; n < 10_000; n += 1) {
            const other = AbortSignal.any([w.ctx.signal]);
            other.addEventListener('abort', () => {
              const until = performance.now() + 1;
              while (performance.now() < until) other.throwIfAborted.call(new AbortController().signal);
            });
          }
        },
        { expect: ['stopped', 'recycled:hang', 'recycled:leak'], stopAfterMs: 1_500 },
      ],
    ],
  ),
];
