/**
 * `npm run soak -- --minutes 30 [--tier thread] [--seed 1] [--groups crash,hang]`: one healthy plugin, and ten that misbehave, others every few
 * seconds. Watches what the host as a whole takes: resident memory, threads, descriptors, the ledger's residual. Ten times all of the ten
 * are taken away, and what is left is what the host keeps: a host in which that grows, or whose healthy plugin suffered, fails.
 */

import { parseArgs } from 'node:util';
import { BODIES } from '../test/corpus/bodies.ts';
import type { Body, Tier } from '../test/corpus/body.ts';
import { CorpusHost } from '../test/corpus/corpus-host.ts';
import { familyOf, processStats } from '../test/support/process-stats.ts';
import { judgeSoak, type Sample } from './soak-verdict.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    tier: { type: 'string', default: 'thread' },
    seed: { type: 'string', default: '1' },
    groups: { type: 'string', default: '' },
  },
});
const totalMs = Number(values.minutes) * 60_000;
const tier: Tier = values.tier === 'process' ? 'process' : 'thread';

const AT_ONCE = 10;
const SHIFT_MS = 8_000;
const SAMPLE_MS = 10_000;
const RESTS = 10;
/** From the moment when the last of them is gone: their threads end, memory is given back. */
const SETTLE_MS = 5_000;
const MIB = 1024 * 1024;
/** What may take the host, or all of the machine, says nothing about a leak of the host. */
const LEFT_OUT = new Set([
  'leak-big-array',
  'grow-one-buffer',
  'throw-buffer',
  'leak-while-blocked',
  'flood-large-messages',
]);

const bodies = BODIES.filter(({ name, group, expect }) => {
  if (values.groups !== '' && !values.groups.split(',').includes(group)) return false;
  return group !== 'abort' && !LEFT_OUT.has(name) && !expect[tier].includes('host died');
});

const random = seeded(Number(values.seed));
const closes: (() => unknown)[] = [];
const corpus = await CorpusHost.start({ after: (close) => void closes.push(close as () => unknown) }, tier);
process.stdout.write(`${bodies.length} bodies, ${AT_ONCE} at a time in the ${tier} tier, for ${values.minutes} min\n`);

const samples: Sample[] = [];
const startedAt = performance.now();
let shiftAt = 0;
let sampleAt = SAMPLE_MS;
let restAt = totalMs / RESTS;
let beside: Body[] = [];
while (performance.now() - startedAt < totalMs) {
  const now = performance.now() - startedAt;
  if (now >= shiftAt) {
    shiftAt += SHIFT_MS;
    shift();
  }
  if (now >= sampleAt) {
    sampleAt += SAMPLE_MS;
    await take(now, false);
  }
  if (now >= restAt) {
    restAt += totalMs / RESTS;
    await rest();
    shiftAt = performance.now() - startedAt;
    sampleAt = shiftAt + SAMPLE_MS;
  }
  const before = { deaths: corpus.deaths.length, ends: corpus.neighbour.ends.length };
  await corpus.until(() => false, 200);
  for (const bad of [...corpus.deaths.slice(before.deaths), ...corpus.neighbour.ends.slice(before.ends)]) {
    process.stdout.write(`${(now / 60_000).toFixed(1)} min   ${bad}   with ${beside.map(({ name }) => name)}\n`);
  }
}
await rest();

const verdict = judgeSoak(samples, { deaths: corpus.deaths.length, neighbourEnds: corpus.neighbour.ends.length });
process.stdout.write(`${verdict.lines.join('\n')}\n${verdict.isPassed ? 'PASS' : 'FAIL'}\n`);
for (const close of closes.reverse()) await close();
process.exit(verdict.isPassed ? 0 : 1);

/** Half of them leave, others take their place. */
function shift(): void {
  const kept = beside.filter(() => random() < 0.5);
  const waiting = bodies.filter((body) => !kept.includes(body)).sort(() => random() - 0.5);
  for (const { name } of beside) corpus.forget(name);
  beside = [...kept, ...waiting].slice(0, AT_ONCE);
  corpus.put(beside.map((body) => [body, true]));
}

/** What is left when all of them are gone is what the host keeps. */
async function rest(): Promise<void> {
  corpus.put([]);
  await corpus.until(() => !corpus.isLeftOf(beside.map(({ name }) => name)), 20_000);
  await corpus.feel(SETTLE_MS);
  await take(performance.now() - startedAt, true);
}

async function take(now: number, isResting: boolean): Promise<void> {
  const stats = familyOf(corpus.pid).map(processStats);
  const { received, inFlight, residual } = await corpus
    .json<{ received: number; inFlight: number; residual: number }>('/api/v1/ledger')
    .catch(() => ({ received: Number.NaN, inFlight: Number.NaN, residual: Number.NaN }));
  const latency = corpus.neighbour.latency.between(Date.now() - SAMPLE_MS, Date.now() - 500);
  const sample: Sample = {
    minutes: now / 60_000,
    isResting,
    residentMb: stats.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / MIB,
    threads: stats.reduce((sum, { threads }) => sum + threads, 0),
    descriptors: stats.reduce((sum, { descriptors }) => sum + descriptors, 0),
    residual,
    neighbourP99Ms: latency.p99Ms,
    neighbourGapMs: latency.gapMs,
  };
  samples.push(sample);
  const figures = [
    `${sample.minutes.toFixed(1)} min`,
    `rss ${sample.residentMb.toFixed(0)} MB`,
    `threads ${sample.threads}`,
    `fds ${sample.descriptors}`,
    `residual ${residual}`,
    `received ${received}`,
    `in flight ${inFlight}`,
    `neighbour p99 ${latency.p99Ms.toFixed(0)} ms, gap ${latency.gapMs.toFixed(0)} ms`,
    `deaths ${corpus.deaths.length}${isResting ? '   at rest' : ''}`,
  ];
  process.stdout.write(`${figures.join('   ')}\n`);
}

/** mulberry32: the same bodies in the same order for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
