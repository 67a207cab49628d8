/** Plugins that say too much. What is within the protocol is bounded and the plugin stays; what is not ends it. */

import { type Body, group } from '../body.ts';

const FULL = ['recycled:leak', 'recycled:out_of_memory', 'recycled:flood'] as const;

export const FLOOD: readonly Body[] = group(
  'flood',
  ['stays'],
  [
    [
      'flood-events',
      'emits as fast as credit allows',
      async (w) => {
        for (let n = 0; ; n += 256) {
          await w.ctx.emitMany(Array.from({ length: 256 }, (_, i) => w.event(n + i)));
        }
      },
      { quick: true },
    ],
    [
      'flood-large-events',
      'emits events of 60 KB as fast as credit allows',
      async (w) => {
        const message = 'x'.repeat(60_000);
        for (let n = 0; ; n += 8) {
          await w.ctx.emitMany(Array.from({ length: 8 }, (_, i) => ({ ...w.event(n + i), message })));
        }
      },
    ],
    [
      'flood-try-emit',
      'asks for credit in every turn',
      (w) => {
        const again = (): void => {
          for (let i = 0; i < 100; i += 1) void w.ctx.tryEmit(w.event(i));
          setTimeout(again, 1);
        };
        again();
      },
      { rateLimit: { eventsPerSecond: 500, burst: 100 } },
    ],
    [
      'flood-unawaited',
      'emits a hundred thousand events at once and never looks back',
      (w) => {
        for (let n = 0; n < 100_000; n += 1) void w.ctx.emit(w.event(n));
      },
      { expect: ['stays', ...FULL] },
    ],
    [
      'flood-refused',
      'emits events that are refused',
      (w) =>
        w.every(1, () => {
          for (let i = 0; i < 500; i += 1) {
            w.ctx.emit({ type: 'happened', resourceName: 'r', message: 'x'.repeat(70_000) }).catch(() => undefined);
          }
        }),
      { expect: ['stays', 'recycled:flood', 'recycled:hang', 'recycled:leak'] },
    ],
    [
      'flood-undeclared',
      'emits types that it did not declare',
      async (w) => {
        for (let n = 0; ; n += 1) {
          const types = Array.from({ length: 32 }, (_, i) => ({ ...w.event(n), type: `undeclared-${n}-${i}` }));
          await w.ctx.emitMany(types).catch(() => undefined);
        }
      },
    ],
    [
      'flood-invalid',
      'emits events that no matcher can read',
      async (w) => {
        for (;;) {
          const events = Array.from({ length: 64 }, () => ({
            type: 'happened',
            resourceName: '',
            message: '\ud800\u0000',
          }));
          await w.ctx.emitMany(events).catch(() => undefined);
        }
      },
    ],
    [
      'flood-log',
      'logs as fast as it can',
      (w) =>
        w.every(5, (n) => {
          for (let i = 0; i < 2_000; i += 1) w.ctx.log.info(`line ${n} ${i}`, { padding: 'x'.repeat(100) });
        }),
      { quick: true },
    ],
    [
      'flood-log-fields',
      'logs fields of a megabyte',
      (w) =>
        w.every(20, () => {
          for (let i = 0; i < 3; i += 1) w.ctx.log.info('large', { text: 'x\\"'.repeat(300_000) });
        }),
      { expect: ['stays', 'recycled:flood', 'recycled:hang'] },
    ],
    [
      'flood-console',
      'writes to the console as fast as it can',
      (w) =>
        w.every(5, (n) => {
          for (let i = 0; i < 2_000; i += 1) console.log(`line ${n} ${i} ${'x'.repeat(200)}`);
        }),
    ],
    [
      'flood-stdout',
      'writes 100 MB to stdout without a line end',
      async (w) => {
        const chunk = 'x'.repeat(1024 * 1024);
        for (let i = 0; i < 100; i += 1) {
          process.stdout.write(chunk);
          await w.sleep(1);
        }
      },
      { expect: ['stays', ...FULL] },
    ],
    [
      'flood-stderr',
      'writes to stderr without a pause',
      (w) =>
        w.every(5, () => {
          for (let i = 0; i < 500; i += 1) process.stderr.write(`${'e'.repeat(1_000)}\n`);
        }),
      { expect: ['stays', ...FULL] },
    ],
    [
      'flood-raw-debug',
      'writes to stderr behind the streams',
      (w) =>
        w.every(5, () => {
          for (let i = 0; i < 200; i += 1) w.call(process, '_rawDebug', 'r'.repeat(500));
        }),
      { expect: ['stays', 'recycled:crash'] },
    ],
    [
      'flood-warnings',
      'warns as fast as it can',
      (w) =>
        w.every(5, (n) => {
          for (let i = 0; i < 200; i += 1) process.emitWarning(`warning ${n} ${i} ${'x'.repeat(200)}`);
        }),
      { expect: ['stays', ...FULL] },
    ],
    [
      'flood-metrics',
      'invents a series for each measurement',
      (w) => {
        const counter = w.ctx.metrics.counter({ name: 'things_total', help: 'Things.' });
        w.every(5, (n) => {
          for (let i = 0; i < 1_000; i += 1) counter.inc(1, { id: `${n}-${i}` });
        });
      },
      { expect: ['stays', ...FULL] },
    ],
    [
      'flood-metric-names',
      'invents a metric for each measurement',
      (w) =>
        w.every(5, (n) => {
          for (let i = 0; i < 200; i += 1)
            w.ctx.metrics.gauge({ name: `thing_${n}_${i}`, help: 'x'.repeat(5_000) }).set(i);
        }),
      { expect: ['stays', ...FULL] },
    ],
    [
      'flood-rejections',
      'rejects without end',
      (w) =>
        w.every(1, () => {
          for (let i = 0; i < 1_000; i += 1) void Promise.reject(new Error(`rejection ${i}`));
        }),
      { expect: ['recycled:crash'] },
    ],
    [
      'flood-caught-errors',
      'throws and catches without end, within its share of the core',
      (w) =>
        w.every(20, () => {
          for (let i = 0; i < 300; i += 1) {
            try {
              throw new Error(`caught ${i}`);
            } catch (error) {
              void error;
            }
          }
        }),
    ],
  ],
);
