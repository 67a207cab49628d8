// Runs in the plugin's thread.
/** Emits `count` events, as fast as credit allows or at `perSecond`, and logs how long each took to be acknowledged. */

import { definePlugin, type PluginContext } from 'khook/plugin';

interface Config {
  count: number;
  /** 0 = as fast as it can. */
  perSecond: number;
  /** How many different things its events are about. */
  resources?: number;
}

const PADDING = 'x'.repeat(180);
let config: Config = { count: 0, perSecond: 0 };

function event(n: number): { type: string; resourceName: string; message: string; namespace: string } {
  const resourceName = `thing-${n % (config.resources ?? 100)}`;
  return { type: 'measured', resourceName, message: `number ${n} ${PADDING}`, namespace: 'bench' };
}

async function flood(ctx: PluginContext): Promise<number[]> {
  const times: number[] = [];
  let waiting = 0;
  let wake: (() => void) | null = null;
  for (let n = 0; n < config.count; n += 1) {
    const from = performance.now();
    waiting += 1;
    void ctx.emit(event(n)).then(() => {
      waiting -= 1;
      if (n % 16 === 0) times.push(performance.now() - from);
      wake?.();
    });
    // As many as a busy source has open: more than a frame, less than the credit.
    while (waiting >= 2048)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  while (waiting > 0)
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  return times;
}

async function pace(ctx: PluginContext): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let n = 0; n < config.count; n += 1) {
    const due = start + (n / config.perSecond) * 1000;
    while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
    const from = performance.now();
    pending.push(ctx.emit(event(n)).then(() => times.push(performance.now() - from)));
  }
  await Promise.all(pending);
  return times;
}

export default definePlugin<Config>({
  initialize(given) {
    config = given;
  },
  start(ctx) {
    const run = async (): Promise<void> => {
      const from = performance.now();
      const times = (await (config.perSecond === 0 ? flood(ctx) : pace(ctx))).sort((a, b) => a - b);
      const at = (quantile: number): number => times[Math.floor(quantile * (times.length - 1))] ?? 0;
      ctx.log.info('measured', { ms: performance.now() - from, p50: at(0.5), p99: at(0.99), p999: at(0.999) });
    };
    run().catch((error) => ctx.log.error('measuring failed', { error: String(error) }));
  },
});
