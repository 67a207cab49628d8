/** Plugins that abuse their life: starts that fail afterwards, health checks that leak, stops that flood, and words after the end. */

import { type Body, group } from '../body.ts';

const STOPPED = { expect: ['stopped'], stopAfterMs: 400 } as const;

export const LIFECYCLE_ABUSE: readonly Body[] = group(
  'lifecycle',
  ['stays'],
  [
    [
      'start-then-throw',
      'starts, and throws out of its start a moment later',
      {
        start: async (w) => {
          setTimeout(() => {
            throw new Error('it did not start after all');
          }, 50);
          await w.sleep(10);
        },
      },
      { expect: ['recycled:crash', 'recycled:failed_start'] },
    ],
    [
      'emit-before-ready',
      'emits and logs while it is never ready',
      {
        start: (w) => {
          w.every(1, (n) => {
            void w.ctx.emit(w.event(n));
            w.ctx.log.info(`line ${n}`);
          });
          return new Promise(() => undefined);
        },
      },
      { expect: ['recycled:failed_start'], limits: { startTimeout: '1s' } },
    ],
    [
      'emit-while-loading',
      'emits for its rate and more as it initialises, and waits for each',
      {
        initialize: async (w) => {
          for (let n = 0; n < 3_000; n += 1) void w.ctx.emit(w.event(n));
          await w.ctx.emit(w.event(1));
        },
      },
    ],
    [
      'stop-floods',
      'emits, logs, measures and allocates in a stop that never ends',
      {
        run: () => undefined,
        stop: (w) => {
          const kept: unknown[] = [];
          const again = (): void => {
            for (let n = 0; n < 500; n += 1) {
              w.ctx.emit(w.event(n)).catch(() => undefined);
              w.ctx.log.error(`line ${n}`, { n });
              kept.push(Buffer.alloc(10_000, 1));
            }
            setImmediate(again);
          };
          again();
          return new Promise(() => undefined);
        },
      },
      STOPPED,
    ],
    [
      'stop-rejects-oddly',
      'rejects its stop with a proxy, and everything else with symbols at the same time',
      {
        run: () => undefined,
        stop: () => {
          for (let n = 0; n < 10; n += 1) setTimeout(() => void Promise.reject(Symbol('late')), n);
          const hostile = (): never => {
            throw new Error('do not look at me');
          };
          return Promise.reject(new Proxy(hostile, { get: hostile, has: hostile, getPrototypeOf: hostile }));
        },
      },
      STOPPED,
    ],
    [
      'speak-after-stop',
      'goes on after its stop, with everything it was given',
      {
        run: () => undefined,
        stop: (w) => {
          const again = (): void => {
            w.ctx.emit(w.event(1)).catch(() => undefined);
            w.ctx.tryEmit(w.event(1))?.catch(() => undefined);
            w.ctx.log.info('after the end');
            w.ctx.metrics.counter({ name: 'after_total', help: 'After.' }).inc();
            setTimeout(again, 0);
          };
          again();
          process.on('exit', again);
        },
      },
      STOPPED,
    ],
    [
      'exit-in-abort',
      'exits, rejects and throws as its signal aborts',
      (w) => {
        w.ctx.signal.addEventListener('abort', () => {
          void Promise.reject(new Error('rejected while aborting'));
          process.nextTick(() => process.exit(0));
        });
      },
      STOPPED,
    ],
    [
      'loop-in-abort',
      'queues microtasks without end as its signal aborts',
      (w) => {
        w.ctx.signal.addEventListener('abort', () => {
          const again = (): void => queueMicrotask(again);
          again();
        });
      },
      STOPPED,
    ],
    [
      'poison-abort',
      'makes signals that never abort and listeners that are never asked',
      (w) => {
        for (const [owner, key] of [
          [AbortController.prototype, 'abort'],
          [EventTarget.prototype, 'dispatchEvent'],
          [Promise, 'allSettled'],
          [Map.prototype, 'delete'],
        ] as const) {
          try {
            Object.defineProperty(owner, key, { value: () => new Promise(() => undefined) });
          } catch {}
        }
        w.beat();
      },
      STOPPED,
    ],
    [
      'health-leaks',
      'keeps twenty megabytes of each health check',
      {
        run: () => undefined,
        healthCheck: (w) => {
          const kept = (w as { kept?: unknown[] }).kept ?? [];
          (w as { kept?: unknown[] }).kept = kept;
          kept.push(Array.from({ length: 400_000 }, (_, n) => ({ n })));
          return true;
        },
      },
      { expect: ['recycled:leak'] },
    ],
    [
      'health-garbage',
      'answers its health checks with something else each time, and never with true',
      {
        run: () => undefined,
        healthCheck: () => {
          const hostile = (): never => {
            throw new Error('do not look at me');
          };
          const answers = [1, 'true', Symbol('s'), 5n, () => true, [true], { stale: 5 }, 'x'.repeat(10_000_000)];
          const odd = [new Proxy({ stale: 'x' }, { get: (_t, key) => (key === 'then' ? undefined : hostile()) })];
          return [...answers, ...odd][Math.floor(Math.random() * 9)];
        },
      },
      { expect: ['recycled:unhealthy'] },
    ],
    [
      'health-throws-oddly',
      'throws proxies, symbols and megabytes in its health check',
      {
        run: () => undefined,
        healthCheck: () => {
          const hostile = (): never => {
            throw new Error('do not look at me');
          };
          const big = new Error('x'.repeat(5_000_000));
          throw [new Proxy({}, { get: hostile }), Symbol('s'), big, null][Math.floor(Math.random() * 4)];
        },
      },
      { expect: ['recycled:unhealthy'] },
    ],
    [
      'health-stale-texts',
      'is stale for another reason of a megabyte each time',
      {
        run: () => undefined,
        healthCheck: () => ({ stale: `line one\nline two ${Math.random()} ${'x'.repeat(1_000_000)}` }),
      },
      { watchMs: 3_000 },
    ],
    [
      'health-restarts',
      'starts, stops and checks itself in its health check',
      "import { definePlugin } from 'khook/plugin';\nlet given;\nconst plugin = definePlugin({ start(ctx) { given = ctx; ctx.log.info('begins'); setInterval(() => ctx.emit({ type: 'happened', resourceName: 'r', message: 'm' }), 50); }, async stop() { await plugin.start(given); }, async healthCheck() { await plugin.stop(); await plugin.start(given); return true; } });\nexport default plugin;\n",
      { watchMs: 3_000 },
    ],
    [
      'methods-that-vanish',
      'takes its own methods away, and puts others that throw in their place',
      "let calls = 0;\nconst plugin = { start(ctx) { ctx.log.info('begins'); setInterval(() => undefined, 1000); delete plugin.start; Object.defineProperty(plugin, 'healthCheck', { get() { calls += 1; throw new Error(`asked ${calls}`); } }); Object.defineProperty(plugin, 'stop', { get() { throw new Error('no stop'); } }); } };\nexport default plugin;\n",
      { expect: ['recycled:unhealthy'] },
    ],
    [
      'life-in-proxies',
      'is a plugin whose every method is a promise, a proxy or a class',
      "const ready = { then(resolve) { setTimeout(resolve, 20); } };\nexport default new (class { initialize = new Proxy(() => ready, {}); start(ctx) { ctx.log.info('begins'); setInterval(() => ctx.emit({ type: 'happened', resourceName: 'r', message: 'm' }), 50); return ready; } stop = async function* never() {}; async healthCheck() { return await { then: (resolve) => resolve(true) }; } async [Symbol.asyncDispose]() { throw new Error('not to be disposed of'); } [Symbol.dispose]() { throw new Error('not to be disposed of'); } [Symbol.toPrimitive]() { throw new Error('no value'); } })();\n",
    ],
    [
      'keep-across-lives',
      'leaves something behind for its next life, and ends',
      async (w) => {
        const threads = await import('node:worker_threads');
        await w.attempt('something of an earlier life', () => {
          const symbols = w.get(globalThis, Symbol.for('khook.corpus')) ?? w.get(process, 'kept');
          return symbols ?? threads.getEnvironmentData('khook.corpus') ?? process.env.KHOOK_CORPUS;
        });
        threads.setEnvironmentData('khook.corpus', 'kept');
        process.env.KHOOK_CORPUS = 'kept';
        Object.assign(globalThis, { [Symbol.for('khook.corpus')]: w.ctx });
        Object.assign(process, { kept: w.ctx });
        await w.sleep(50);
        process.exit(3);
      },
      { expect: ['recycled:exited'] },
    ],
  ],
);
