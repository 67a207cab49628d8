/** Plugins that abuse the order of things: initialize, start, health checks, stop. */

import { type Body, group } from '../body.ts';

const STOPPED = { expect: ['stopped'], stopAfterMs: 300 } as const;
const SHORT_START = { expect: ['recycled:failed_start'], limits: { startTimeout: '1s' } } as const;
const UNHEALTHY = { expect: ['recycled:unhealthy'] } as const;

export const LIFECYCLE: readonly Body[] = group(
  'lifecycle',
  ['stays'],
  [
    ['initialize-for-ever', 'never ends initialize', { initialize: () => new Promise(() => undefined) }, SHORT_START],
    [
      'start-for-ever',
      'never ends start',
      { start: () => new Promise(() => undefined) },
      { ...SHORT_START, quick: true },
    ],
    [
      'load-for-ever',
      'never ends its import',
      'await new Promise(() => setInterval(() => undefined, 1_000));\n',
      SHORT_START,
    ],
    [
      'load-nothing',
      'waits in its import for what never comes, with nothing to keep it alive',
      'await new Promise(() => undefined);\nexport default { start() {} };\n',
      { expect: ['recycled:failed_start', 'recycled:exited', 'recycled:crash'], limits: { startTimeout: '1s' } },
    ],
    [
      'stop-for-ever',
      'never ends stop',
      { run: () => undefined, stop: () => new Promise(() => undefined) },
      { ...STOPPED, quick: true },
    ],
    [
      'stop-blocked',
      'loops in stop',
      {
        run: () => undefined,
        stop: () => {
          for (;;);
        },
      },
      STOPPED,
    ],
    [
      'stop-throws',
      'throws in stop',
      { run: () => undefined, stop: () => Promise.reject(new Error('no stop')) },
      STOPPED,
    ],
    ['stop-exits', 'exits in stop', { run: () => undefined, stop: () => process.exit(9) }, STOPPED],
    [
      'emit-while-stopping',
      'emits in stop and after it',
      {
        run: () => undefined,
        stop: (w) => {
          for (let n = 0; n < 1_000; n += 1) w.ctx.emit(w.event(n)).catch(() => undefined);
          setInterval(() => w.ctx.emit(w.event(1)).catch(() => undefined), 1);
        },
      },
      STOPPED,
    ],
    [
      'emit-from-abort',
      'emits, throws and loops for a while as its signal aborts',
      (w) => {
        w.ctx.signal.addEventListener('abort', () => void w.ctx.emit(w.event(1)).catch(() => undefined));
        w.ctx.signal.addEventListener('abort', () => {
          const until = performance.now() + 300;
          while (performance.now() < until);
          throw new Error('thrown while aborting');
        });
      },
      STOPPED,
    ],
    [
      'linger',
      'leaves timers and servers open as it stops',
      () => {
        for (let n = 0; n < 100; n += 1) setInterval(() => undefined, 10);
      },
      STOPPED,
    ],
    [
      'sick',
      'says that it is not healthy',
      { run: () => undefined, healthCheck: () => false },
      { ...UNHEALTHY, quick: true },
    ],
    [
      'sick-throws',
      'throws in its health check',
      {
        run: () => undefined,
        healthCheck: () => {
          throw new Error('do not ask');
        },
      },
      UNHEALTHY,
    ],
    [
      'sick-for-ever',
      'never answers its health check',
      { run: () => undefined, healthCheck: () => new Promise(() => undefined) },
      { ...UNHEALTHY, limits: { healthCheckTimeout: '300ms' } },
    ],
    [
      'sick-word',
      'answers its health check with a word instead of true',
      { run: () => undefined, healthCheck: () => 'perfectly healthy' },
      UNHEALTHY,
    ],
    [
      'sick-truth',
      'answers its health check with an object that is no answer',
      { run: () => undefined, healthCheck: () => ({ healthy: true }) },
      UNHEALTHY,
    ],
    [
      'sick-promise',
      'answers its health check with a proxy that looks like a promise and never settles',
      { run: () => undefined, healthCheck: () => new Proxy({}, { get: () => () => true }) },
      { ...UNHEALTHY, limits: { healthCheckTimeout: '300ms' } },
    ],
    [
      'sick-blocked',
      'loops in its health check',
      {
        run: () => undefined,
        healthCheck: () => {
          for (;;);
        },
      },
      { expect: ['recycled:hang', 'recycled:unhealthy'] },
    ],
    [
      'healthy-liar',
      'says that it is healthy and does nothing else',
      { run: () => undefined, healthCheck: () => true },
      { watchMs: 2_500 },
    ],
    [
      'sick-sometimes',
      'is unhealthy every other time',
      { run: () => undefined, healthCheck: () => Math.floor(performance.now() / 500) % 2 === 0 },
      { expect: ['stays', 'recycled:unhealthy'], watchMs: 2_500 },
    ],
    [
      'start-twice',
      'calls its own start again',
      "import { definePlugin } from 'khook/plugin';\nlet starts = 0;\nconst plugin = definePlugin({ async start(ctx) { starts += 1; if (starts < 3) await plugin.start(ctx); ctx.log.info('begins'); setInterval(() => undefined, 1_000); } });\nexport default plugin;\n",
    ],
    [
      'thenable',
      'exports a plugin that is also a promise which never settles',
      'export default { then() {}, start(ctx) { ctx.log.info("begins"); setInterval(() => undefined, 1_000); } };\n',
      { expect: ['stays', 'recycled:failed_start'], limits: { startTimeout: '1s' } },
    ],
    [
      'shifting',
      'exports a plugin whose methods are others each time',
      'let n = 0;\nexport default new Proxy({}, { get(_target, key) { n += 1; if (key === "start") return n > 2 ? undefined : (ctx) => ctx.log.info("begins"); return n % 2 ? () => { throw new Error("shifted"); } : undefined; } });\n',
      { expect: ['stays', 'recycled:failed_start', 'recycled:exited', 'recycled:crash', 'recycled:unhealthy'] },
    ],
    [
      'abort-itself',
      'lets its own signal abort',
      (w) => {
        w.ctx.signal.dispatchEvent(new Event('abort'));
        for (const method of ['emit', 'log']) {
          try {
            Object.defineProperty(w.ctx, method, { value: null });
          } catch {}
        }
        return w.ctx.emit(w.event(1));
      },
    ],
    [
      'exit-quietly',
      'has nothing left to do',
      "import { definePlugin } from 'khook/plugin';\nexport default definePlugin({ start(ctx) { ctx.log.info('begins'); } });\n",
    ],
  ],
);
