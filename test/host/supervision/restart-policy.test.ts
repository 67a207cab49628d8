import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { EXIT_REASONS, type ExitReason } from '../../../host/sandbox/exit.ts';
import {
  CRASH_LOOP_SCORE,
  decayedScore,
  decideRestart,
  type Failure,
  type FailureHistory,
  LONGEST_QUARANTINE_MS,
  NO_FAILURES,
  QUARANTINE_MS,
  type RestartDecision,
  STABLE_MS,
} from '../../../host/supervision/restart-policy.ts';

const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;
const reason = fc.constantFrom(...EXIT_REASONS.filter((reason) => reason !== 'bad_config'));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Decisions for a plugin that fails again when it has run for `ranMs` after each start. */
function failures(count: number, ranMs: number, changes: Partial<Failure> = {}): RestartDecision[] {
  let history: FailureHistory = NO_FAILURES;
  let now = 1_000_000;
  return Array.from({ length: count }, () => {
    now += ranMs;
    const decision = decideRestart(history, { reason: 'crash', now, ranMs, random: 0.5, ...changes });
    history = decision.history;
    now += delayOf(decision);
    return decision;
  });
}

function delayOf(decision: RestartDecision): number {
  return decision.kind === 'give_up' ? Number.POSITIVE_INFINITY : decision.delayMs;
}

function first(reason: ExitReason, random: number): number {
  return delayOf(decideRestart(NO_FAILURES, { reason, now: 1, ranMs: 0, random }));
}

describe('restart policy', () => {
  it('lets the score of failures halve every ten minutes', () => {
    const score = { score: 4, at: 1_000 };
    assert.equal(decayedScore(score, 1_000), 4);
    assert.equal(decayedScore(score, 1_000 + 10 * MINUTE), 2);
    assert.equal(decayedScore(score, 1_000 + 30 * MINUTE), 0.5);
    assert.equal(decayedScore(score, 0), 4);
  });

  it('starts a plugin again at once after the first failure that a restart may cure', () => {
    for (const reason of ['crash', 'exited', 'hang', 'unhealthy'] as const)
      assert.equal(first(reason, 0.999), 0, reason);
  });

  it('waits before the first restart after a failure that tends to outlive it', () => {
    for (const reason of ['out_of_memory', 'leak', 'flood', 'protocol', 'failed_start'] as const) {
      assert.equal(first(reason, 0.5), 500, reason);
      assert.equal(first(reason, 0), 0, reason);
    }
  });

  it('never punishes a plugin that fails once a week', () => {
    assert.deepEqual(new Set(failures(200, WEEK).map(delayOf)), new Set([0]));
  });

  it('spreads delays over all that lies below a ceiling, which grows from failure to failure', () => {
    const least = failures(5, 10, { random: 0 }).map(delayOf);
    const most = failures(5, 10, { random: 0.999_999 }).map(delayOf);
    assert.deepEqual(least, [0, 0, 0, 0, 0]);
    assert.deepEqual(most, [0, 750, 2_250, 6_750, 20_250]);
    const patient = failures(5, 10, { random: 0.999_999, reason: 'leak' }).map(delayOf);
    assert.deepEqual(patient, [1_000, 3_000, 9_000, 27_000, 81_000]);
  });

  it('sees a crash loop, whatever the rhythm', () => {
    for (const ranMs of [0, 2_000, 30_000, 2 * MINUTE]) {
      const kinds = failures(20, ranMs).map(({ kind }) => kind);
      const loop = kinds.indexOf('quarantine');
      assert.ok(loop >= CRASH_LOOP_SCORE && loop <= 9, `${loop} failures at one every ${ranMs} ms`);
    }
    assert.ok(failures(500, STABLE_MS).every(({ kind }) => kind === 'restart'));
  });

  it('gives one try after each quarantine; one that fails soon goes back for longer, up to the longest', () => {
    const loop = failures(40, 2_000);
    const from = loop.findIndex(({ kind }) => kind === 'quarantine');
    const after = loop.slice(from);
    assert.deepEqual(new Set(after.map(({ kind }) => kind)), new Set(['quarantine']));
    assert.deepEqual(
      after.slice(0, 5).map(delayOf),
      [5, 10, 20, 30, 30].map((minutes) => minutes * MINUTE),
    );
  });

  it('does not take a slow start for a try that went well', () => {
    const inLoop = { score: 6, at: 0, quarantines: 1 };
    const failure = { reason: 'failed_start', now: 60 * MINUTE, ranMs: 0, random: 0.5 } as const;
    assert.deepEqual(
      [decideRestart(inLoop, failure).kind, delayOf(decideRestart(inLoop, failure))],
      ['quarantine', 2 * QUARANTINE_MS],
    );
  });

  it('closes the matter when the try runs well: the next failure is a first one', () => {
    const inLoop = failures(30, 100).at(-1)?.history ?? NO_FAILURES;
    const now = inLoop.at + 60 * MINUTE;
    const early = decideRestart(inLoop, { reason: 'crash', now, ranMs: STABLE_MS - 1, random: 0.5 });
    assert.equal(early.kind, 'quarantine');
    const proven = decideRestart(inLoop, { reason: 'crash', now, ranMs: STABLE_MS, random: 0.5 });
    assert.deepEqual(proven, { kind: 'restart', delayMs: 0, history: { score: 1, at: now, quarantines: 0 } });
  });

  it('gives up at once on a bad configuration', () => {
    const decision = decideRestart(NO_FAILURES, { reason: 'bad_config', now: 1, ranMs: 0, random: 0 });
    assert.equal(decision.kind, 'give_up');
  });

  it('decides within bounds whatever the history', () => {
    const history = fc.record({
      score: fc.double({ min: 0, max: 1e6, noNaN: true }),
      at: fc.nat(1e9),
      quarantines: fc.nat(1_000),
    });
    fc.assert(
      fc.property(history, reason, fc.nat(2e9), fc.nat(1e8), random, (history, reason, now, ranMs, random) => {
        const decision = decideRestart(history, { reason, now, ranMs, random });
        assert.notEqual(decision.kind, 'give_up');
        if (decision.kind === 'give_up') return;
        const { score, at, quarantines } = decision.history;
        assert.ok(Number.isFinite(score) && score >= 1 && at === now);
        const isTry = history.quarantines > 0;
        const isProven = isTry && ranMs >= STABLE_MS;
        const isLoop = !isProven && (isTry || decayedScore(history, now) + 1 > CRASH_LOOP_SCORE);
        assert.equal(decision.kind, isLoop ? 'quarantine' : 'restart');
        if (isLoop) {
          assert.ok(decision.delayMs >= QUARANTINE_MS && decision.delayMs <= LONGEST_QUARANTINE_MS);
          assert.equal(quarantines, history.quarantines + 1);
        } else assert.ok(decision.delayMs >= 0 && decision.delayMs <= 81_000 && quarantines === 0);
      }),
    );
  });
});
