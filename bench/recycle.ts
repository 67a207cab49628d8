/** How soon a plugin that crashes is there again: from the ack after which it throws to the first event of its next run, without back-off. */

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { NO_PERMISSIONS } from '../host/config/permissions.ts';
import { DEFAULT_RATE_LIMIT } from '../host/config/plugin-entry.ts';
import type { PluginSpec } from '../host/config/plugin-plan.ts';
import { openThreadVessel } from '../host/sandbox/thread-vessel.ts';
import { Watchdog } from '../host/sandbox/watchdog.ts';
import { Plugins } from '../host/supervision/plugins.ts';
import { systemClock } from '../ipc/clock.ts';
import { median, type Row, row } from './report.ts';

const REPEATS = 15;
const EMPTY = "require('node:worker_threads').parentPort.postMessage(0)";
const DIRECTORY = join(import.meta.dirname, 'breaking-bundle');
const SPEC: PluginSpec = {
  name: 'breaking',
  version: '1.0.0',
  description: '',
  directory: DIRECTORY,
  entry: '',
  fingerprint: '',
  eventTypes: ['measured'],
  config: {},
  permissions: NO_PERMISSIONS,
  limits: {
    memoryBytes: 64 * 1024 * 1024,
    startTimeoutMs: 10_000,
    stopTimeoutMs: 1_000,
    healthCheckTimeoutMs: 1_000,
    cpuShare: 1,
    hangTimeoutMs: 10_000,
    sockets: 1_024,
    files: 64,
    logLinesPerSecond: 200,
  },
  rateLimit: DEFAULT_RATE_LIMIT,
  namespaces: null,
  required: false,
  debug: false,
  isolation: 'thread',
  healthCheckIntervalMs: 30_000,
};

type Language = 'js' | 'ts';

interface Times {
  /** From the ack to the moment in which supervision knows. */
  readonly noticed: number;
  readonly again: number;
}

export async function recycle(): Promise<Row[]> {
  const empty: number[] = [];
  const crashes: Record<Language, Times[]> = { js: [], ts: [] };
  // Between two runs of a plugin nothing but khook's own timers is there, which hold no process.
  const awake = setInterval(() => undefined, 1_000);
  // The first ones pay for what all share.
  for (let n = -1; n < REPEATS; n += 1) {
    const floor = await emptyWorker();
    const [js, ts] = [await crash('js'), await crash('ts')];
    if (n < 0) continue;
    empty.push(floor);
    crashes.js.push(js);
    crashes.ts.push(ts);
  }
  clearInterval(awake);
  const floor = median(empty);
  return [
    row('baseline: an empty worker, to its first message', { ms: floor, worst: Math.max(...empty) }),
    crashRow('khook: crash → first event again', crashes.js, floor),
    crashRow('khook: the same, of a bundle in TypeScript', crashes.ts, floor),
  ];
}

function crashRow(label: string, times: readonly Times[], floor: number): Row {
  const again = times.map((each) => each.again);
  return row(label, {
    ms: median(again),
    worst: Math.max(...again),
    'of it noticed': median(times.map(({ noticed }) => noticed)),
    '× empty (budget 3)': median(again) / floor,
  });
}

async function emptyWorker(): Promise<number> {
  const from = performance.now();
  const worker = new Worker(EMPTY, { eval: true });
  await new Promise((resolve) => worker.once('message', resolve));
  const ms = performance.now() - from;
  await worker.terminate();
  return ms;
}

/** A supervision of its own each time: only the first failure is without back-off. */
async function crash(language: Language): Promise<Times> {
  const watchdog = new Watchdog({ clock: systemClock });
  const { promise, resolve } = Promise.withResolvers<Times>();
  let ackedAt = 0;
  let noticedAt = 0;
  const plugins = new Plugins({
    clock: systemClock,
    run: 'bench',
    random: Math.random,
    openVessel: (request) => openThreadVessel(request, { clock: systemClock, variables: {}, watchdog }),
    openInlet: ({ reply }) => ({
      credit: { events: 16, bytes: 65_536 },
      close: () => undefined,
      accept({ sequence, lines }) {
        if (ackedAt > 0) resolve({ noticed: noticedAt - ackedAt, again: performance.now() - ackedAt });
        else {
          ackedAt = performance.now();
          reply({ kind: 'ack', sequence, refusals: [], events: 1, bytes: lines.length + 1 });
        }
        return null;
      },
    }),
    connection: () => null,
    hostDirectory: process.cwd(),
  });
  plugins.on('plugin:crashed', () => {
    noticedAt = performance.now();
  });
  const spec = { ...SPEC, entry: join(DIRECTORY, `index.${language}`) };
  await plugins.apply([{ kind: 'run', name: spec.name, version: spec.version, spec }]);
  const times = await promise;
  await plugins.stop('the measurement is over');
  watchdog[Symbol.dispose]();
  return times;
}
