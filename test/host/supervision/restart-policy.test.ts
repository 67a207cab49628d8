import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { EXIT_REASONS } from '../../../host/sandbox/exit.ts';
import {
  CRASH_LOOP_SCORE,
  decayedScore,
  decideRestart,
  type FailureScore,
  NO_FAILURES,
  QUARANTINE_MS,
  type RestartDecision,
} from '../../../host/supervision/restart-policy.ts';

const MINUTE = 60_000;
const reason = fc.constantFrom(...EXIT_REASONS.filter((reason) => reason !== 'bad_config'));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Decisions for a plugin that fails again `lastsMs` after each start. */
function failures(count: number, lastsMs: number): RestartDecision[] {
  let history: FailureScore = NO_FAILURES;
  let now = 1_000_000;
  return Array.from({ length: count }, () => {
    now += lastsMs;
    const decision = decideRestart(history, { reason: 'crash', now, random: 0.5 });
    history = decision.score;
    now += decision.kind === 'give_up' ? 0 : decision.delayMs;
    return decision;
  });
}

describe('restart policy', () => {
  it('lets the score of failures halve every ten minutes', () => {
    const score = { score: 4, at: 1_000 };
    assert.equal(decayedScore(score, 1_000), 4);
    assert.equal(decayedScore(score, 1_000 + 10 * MINUTE), 2);
    assert.equal(decayedScore(score, 1_000 + 30 * MINUTE), 0.5);
    assert.equal(decayedScore(score, 0), 4);
  });

  it('restarts after the first failure in well under a second', () => {
    const [first] = failures(1, 0);
    assert.equal(first?.kind, 'restart');
    assert.ok(first?.kind === 'restart' && first.delayMs >= 125 && first.delayMs <= 250);
  });

  it('never punishes a plugin that fails once a week', () => {
    for (const decision of failures(200, 7 * 24 * 60 * MINUTE)) {
      assert.ok(decision.kind === 'restart' && decision.delayMs <= 250);
    }
  });

  it('waits longer from failure to failure, then sees the crash loop', () => {
    const decisions = failures(6, 10);
    assert.deepEqual(
      decisions.map(({ kind }) => kind),
      ['restart', 'restart', 'restart', 'restart', 'restart', 'quarantine'],
    );
    const delays = decisions.map((decision) => (decision.kind === 'give_up' ? 0 : decision.delayMs));
    assert.deepEqual(
      delays,
      delays.toSorted((a, b) => a - b),
    );
    assert.equal(delays.at(-1), QUARANTINE_MS);
  });

  it('tries once after each quarantine, for as long as the try fails soon', () => {
    const kinds = failures(60, 2_000).map(({ kind }) => kind);
    const first = kinds.indexOf('quarantine');
    assert.ok(first >= 4 && first <= 6);
    assert.deepEqual(new Set(kinds.slice(first)), new Set(['quarantine']));
  });

  it('forgives a plugin that ran well after its quarantine, however long it had failed before', () => {
    const history = failures(500, 100).at(-1)?.score ?? NO_FAILURES;
    const decision = decideRestart(history, { reason: 'crash', now: history.at + 30 * MINUTE, random: 0 });
    assert.equal(decision.kind, 'restart');
  });

  it('gives up at once on a bad configuration', () => {
    const decision = decideRestart(NO_FAILURES, { reason: 'bad_config', now: 1, random: 0 });
    assert.equal(decision.kind, 'give_up');
  });

  it('lets failures that outlive a restart wait longer', () => {
    const delay = (reason: 'crash' | 'leak'): number => {
      const decision = decideRestart(NO_FAILURES, { reason, now: 1, random: 0.5 });
      return decision.kind === 'restart' ? decision.delayMs : 0;
    };
    assert.ok(delay('leak') > delay('crash'));
  });

  it('decides within bounds whatever the history', () => {
    const history = fc.record({ score: fc.double({ min: 0, max: 1e6, noNaN: true }), at: fc.nat(1e9) });
    fc.assert(
      fc.property(history, reason, fc.nat(2e9), random, (history, reason, now, random) => {
        const decision = decideRestart(history, { reason, now, random });
        assert.notEqual(decision.kind, 'give_up');
        if (decision.kind === 'give_up') return;
        assert.ok(decision.delayMs >= 125 && decision.delayMs <= QUARANTINE_MS);
        assert.ok(Number.isFinite(decision.score.score) && decision.score.score >= 1);
        const isLoop = decayedScore(history, now) + 1 > CRASH_LOOP_SCORE;
        assert.equal(decision.kind, isLoop ? 'quarantine' : 'restart');
      }),
    );
  });
});
