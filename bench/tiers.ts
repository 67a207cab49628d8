/** What a process of its own costs a plugin: time to start, memory while it idles, events per second, time from emit to acknowledgement. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { NO_PERMISSIONS } from '../host/config/permissions.ts';
import { DEFAULT_RATE_LIMIT } from '../host/config/plugin-entry.ts';
import type { PluginSpec } from '../host/config/plugin-plan.ts';
import { openProcessVessel } from '../host/sandbox/process-vessel.ts';
import { openThreadVessel } from '../host/sandbox/thread-vessel.ts';
import type { Vessel } from '../host/sandbox/vessel.ts';
import { Watchdog } from '../host/sandbox/watchdog.ts';
import { makeBirth } from '../host/supervision/birth.ts';
import { systemClock } from '../ipc/clock.ts';
import { runLoad, type Tier } from './host.ts';
import { median, type Row, row } from './report.ts';

const REPEATS = 5;
/** Says that it is there, and waits. */
const EMPTY =
  "const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => {}); parentPort.postMessage(0)";
const IDLE_VESSELS = 10;
/** Past the moment when the runtime gives back what the start left behind. */
const SETTLE_MS = 3_000;
const FLOOD = { count: 200_000, perSecond: 0 };
const PACED = { count: 15_000, perSecond: 5_000 };
const TIERS: readonly Tier[] = ['thread', 'process'];
const MIB = 1024 * 1024;
const OVER = { reason: 'stopped', detail: 'the measurement is over', stack: '', code: '' } as const;

export async function tiers(): Promise<Row[]> {
  const empty = await measureEmptyWorkers();
  const rows = [row('baseline: an empty worker', { 'MB each': empty / MIB })];
  for (const tier of TIERS) rows.push(await measureIdle(tier, empty));
  const floods: Record<Tier, number[]> = { thread: [], process: [] };
  const costs: Record<Tier, number[]> = { thread: [], process: [] };
  const waits: Record<Tier, [number, number][]> = { thread: [], process: [] };
  for (let n = 0; n < REPEATS; n += 1) {
    for (const tier of TIERS) {
      const { ms, hostMicros } = await runLoad(FLOOD, tier);
      floods[tier].push((FLOOD.count / ms) * 1000);
      costs[tier].push(hostMicros / FLOOD.count);
      const { p50, p99 } = await runLoad(PACED, tier);
      waits[tier].push([p50, p99]);
    }
  }
  for (const tier of TIERS) {
    rows.push(
      row(`${tier}: load`, {
        'events/s': Math.round(median(floods[tier])),
        'host µs/event': median(costs[tier]),
        'emit → ack p50 ms': median(waits[tier].map(([p50]) => p50)),
        'p99 ms': median(waits[tier].map(([, p99]) => p99)),
      }),
    );
  }
  return rows;
}

async function measureEmptyWorkers(): Promise<number> {
  const open = async (): Promise<Worker> => {
    const worker = new Worker(EMPTY, { eval: true });
    await new Promise((resolve) => worker.once('message', resolve));
    return worker;
  };
  const first = await open();
  await settle();
  const before = proportionalBytes();
  const workers: Worker[] = [];
  for (let n = 0; n < IDLE_VESSELS; n += 1) workers.push(await open());
  await settle();
  const each = (proportionalBytes() - before) / IDLE_VESSELS;
  for (const worker of [first, ...workers]) await worker.terminate();
  return each;
}

async function measureIdle(tier: Tier, emptyBytes: number): Promise<Row> {
  const watchdog = new Watchdog({ clock: systemClock });
  const boots: number[] = [];
  const open = async (generation: number): Promise<Vessel> => {
    const from = performance.now();
    const vessel = openOne(tier, generation, watchdog);
    await vessel.control.call('initialize', { deadlineMs: 10_000 });
    await vessel.control.call('start', { deadlineMs: 10_000 });
    boots.push(performance.now() - from);
    return vessel;
  };
  // The first pays for what all share.
  const first = await open(0);
  boots.length = 0;
  await settle();
  const before = proportionalBytes();
  const vessels: Vessel[] = [];
  for (let n = 1; n <= IDLE_VESSELS; n += 1) vessels.push(await open(n));
  await settle();
  const each = (proportionalBytes() - before) / IDLE_VESSELS;
  for (const vessel of [first, ...vessels]) await vessel.terminate(OVER);
  watchdog[Symbol.dispose]();
  const budget = tier === 'thread' ? ' (budget 1.3)' : '';
  return row(`${tier}: idle`, {
    'boot ms': median(boots),
    'MB per plugin': each / MIB,
    [`× empty worker${budget}`]: each / emptyBytes,
  });
}

function openOne(tier: Tier, generation: number, watchdog: Watchdog): Vessel {
  const directory = join(import.meta.dirname, 'idle-bundle');
  const spec: PluginSpec = {
    name: 'idle',
    version: '1.0.0',
    description: '',
    directory,
    entry: join(directory, 'index.js'),
    fingerprint: '',
    eventTypes: ['measured'],
    config: {},
    permissions: NO_PERMISSIONS,
    limits: {
      memoryBytes: 64 * MIB,
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
    isolation: tier,
    healthCheckIntervalMs: 30_000,
  };
  const about = { generation, idPrefix: `idle-${generation}`, debug: false, connection: null };
  const birth = makeBirth({ spec, ...about, hostDirectory: process.cwd() });
  const nothing = (): void => undefined;
  const listener = { frame: nothing, log: nothing, logsDropped: nothing, metric: nothing };
  const rest = { eventRefused: nothing, credentialsRefused: nothing, exit: nothing };
  const request = { spec, birth, listener: { ...listener, ...rest } };
  const open = tier === 'thread' ? openThreadVessel : openProcessVessel;
  return open(request, { clock: systemClock, variables: {}, watchdog });
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/** Of this process and all its children: what they would free together if they ended. Pages that several share count once. */
function proportionalBytes(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return ['self', ...children].reduce((sum, pid) => {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return sum + Number(pss?.[1] ?? 0) * 1024;
  }, 0);
}
