/** Passes one body through a host, and says what became of it, of the host and of the neighbour. */

import type { Body, Outcome, Tier } from './body.ts';
import type { BodyWatch } from './body-watch.ts';
import type { CorpusHost } from './corpus-host.ts';
import type { Latency } from './neighbour-latency.ts';

export interface CorpusRow {
  readonly body: string;
  readonly group: string;
  readonly tier: Tier;
  readonly outcome: Outcome;
  readonly expected: readonly Outcome[];
  readonly isAsExpected: boolean;
  readonly isHostAlive: boolean;
  readonly isNeighbourAlive: boolean;
  readonly neighbour: Latency;
  /** From its first deed to the line that says how it ended. */
  readonly containMs: number | null;
  /** From its first deed until the next generation was started; null when that was not waited for. */
  readonly replacedMs: number | null;
  /** From the moment it was switched off until nothing of it ran. */
  readonly goneMs: number | null;
  /** Resident size of the host and its children: before, and at most. */
  readonly baseBytes: number;
  readonly peakBytes: number;
  /** What the host said, or which attempts were open. */
  readonly evidence: string;
}

export interface RunBodyOptions {
  /** Wait for the next generation. */
  readonly untilReplaced?: boolean;
}

const START_MS = 15_000;
const LOOK_MS = 2_500;
const CONTAIN_MS = 20_000;
/** For one that got hold of something: to be ended by what it does with it. */
const SPEAK_MS = 6_000;
const GONE_MS = 8_000;
const REPLACED_MS = 5_000;
/** Between two attempts. */
const ATTEMPT_MS = 4_000;
/** After the last attempt: what was set going may still show. */
const AFTERMATH_MS = 250;
/** A neighbour that hears nothing for so long has noticed; a busy machine alone takes hundreds of milliseconds. `npm run bench` measures what is usual. */
const GAP_LIMIT_MS = 2_000;
/** A keeper that has seen deaths waits longer, and gives every plugin a process of its own: such a host is replaced. */
const MAX_DEATHS = 0;
/** What earlier bodies left free inside the process would hide what the next one takes. */
const MAX_RESIDENT_BYTES = 450 * 1024 * 1024;

export async function runBody(corpus: CorpusHost, body: Body, options: RunBodyOptions = {}): Promise<CorpusRow> {
  if (corpus.deaths.length > MAX_DEATHS || corpus.residentBytes > MAX_RESIDENT_BYTES) await corpus.replace();
  const before = { deaths: corpus.deaths.length, ends: corpus.neighbour.ends.length, bytes: corpus.residentBytes };
  const hasDied = (): boolean => corpus.deaths.length > before.deaths;
  const expected = body.expect[corpus.tier];
  corpus.peakBytes = 0;
  corpus.forget(body.name);
  const [watch] = corpus.put([[body, true]]);
  if (watch === undefined) throw new Error(`nobody watches over ${body.name}`);
  const from = Date.now();
  const outcome = await outcomeOf(corpus, body, { watch, hasDied });
  const to = Date.now();
  const { exit, beganAt } = watch;
  const evidence = evidenceOf(watch, outcome);
  if (options.untilReplaced === true) await corpus.until(() => watch.startedAgainAt !== null || hasDied(), REPLACED_MS);
  const goneMs = await switchOff(corpus, body, watch);
  if (hasDied()) await corpus.until(() => corpus.neighbour.latency.lastAt > Date.now() - 500, START_MS);
  // The neighbour speaks four times a second.
  await corpus.until(() => corpus.neighbour.latency.lastAt >= to, 1_500);
  const isHostAlive = await corpus.answers();
  const neighbour = corpus.neighbour.latency.between(from, Math.max(to, from + 500));
  const neighbourEnds = corpus.neighbour.ends.slice(before.ends);
  const isNeighbourAlive = corpus.neighbour.latency.lastAt > Date.now() - 2_000 && neighbourEnds.length === 0;
  const isUnhurt = isHostAlive && isNeighbourAlive && (neighbour.gapMs <= GAP_LIMIT_MS || outcome === 'host died');
  const row: CorpusRow = {
    body: body.name,
    group: body.group,
    tier: corpus.tier,
    outcome,
    expected,
    isAsExpected: expected.includes(outcome) && isUnhurt && goneMs !== null,
    isHostAlive,
    isNeighbourAlive,
    neighbour,
    containMs: exit === null || beganAt === null ? null : Math.round(exit.at - beganAt),
    replacedMs: since(beganAt, watch.startedAgainAt),
    goneMs,
    baseBytes: before.bytes,
    peakBytes: corpus.peakBytes,
    evidence: [evidence, ...corpus.deaths.slice(before.deaths), ...neighbourEnds].filter(Boolean).join(' | '),
  };
  if (!isHostAlive || goneMs === null) await corpus.replace();
  return row;
}

function since(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.round(to - from);
}

/** Milliseconds until nothing of it ran any more; null when something still did. */
async function switchOff(corpus: CorpusHost, body: Body, watch: BodyWatch): Promise<number | null> {
  const off = performance.now();
  if (!watch.isDisabled) corpus.put([[body, false]]);
  const isGone = await corpus.until(() => watch.isDisabled && !corpus.isLeftOf([body.name]), GONE_MS);
  return isGone ? Math.round(performance.now() - off) : null;
}

async function outcomeOf(
  corpus: CorpusHost,
  body: Body,
  { watch, hasDied }: { watch: BodyWatch; hasDied: () => boolean },
): Promise<Outcome> {
  const isOver = (): boolean => watch.exit !== null || hasDied();
  await corpus.until(() => watch.beganAt !== null || isOver(), START_MS);
  if (body.stopAfterMs !== undefined) {
    await corpus.until(isOver, body.stopAfterMs);
    if (!isOver()) corpus.put([[body, false]]);
    await corpus.until(isOver, GONE_MS);
  } else {
    const isMeantToEnd = !body.expect[corpus.tier].includes('stays');
    const isDone = (): boolean => isOver() || (watch.endedAt !== null && watch.attempts.length > 0);
    await corpus.until(isDone, body.watchMs ?? (isMeantToEnd ? CONTAIN_MS : LOOK_MS));
    // Attempts are reported one by one: as long as they come, they are waited for.
    for (let seen = 0; !isDone() && watch.attempts.length > seen; ) {
      seen = watch.attempts.length;
      await corpus.until(() => isDone() || watch.attempts.length > seen, ATTEMPT_MS);
    }
    const maySpeak = watch.openAttempts.length > 0 && expectsEnd(body, corpus.tier);
    await corpus.until(isOver, maySpeak ? SPEAK_MS : AFTERMATH_MS);
  }
  if (hasDied()) return 'host died';
  if (watch.exit !== null) return watch.exit.outcome;
  if (watch.openAttempts.length > 0) return 'open';
  if (watch.attempts.length > 0) return watch.endedAt === null ? 'silent' : 'denied';
  return watch.beganAt === null ? 'silent' : 'stays';
}

/** Whoever got hold of something is to be ended by what it does with it. */
function expectsEnd(body: Body, tier: Tier): boolean {
  return body.expect[tier].some((outcome) => outcome.startsWith('recycled:'));
}

function evidenceOf(watch: BodyWatch, outcome: Outcome): string {
  const open = watch.openAttempts.map(({ attempt, detail }) => `${attempt} (${detail.slice(0, 40)})`);
  const parts = [
    ...(open.length > 0 ? [`open: ${open.join('; ')}`] : []),
    ...(outcome === 'host died' || outcome === 'silent' ? [`last tried: ${watch.lastTry || 'nothing'}`] : []),
    ...(watch.exit === null ? [] : [watch.exit.text]),
  ];
  return parts.join(' | ');
}
