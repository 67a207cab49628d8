/**
 * When a plugin that ended may start again: a pure function over (score, exit, now). Each failure adds one to a score that halves
 * every ten minutes, so a plugin that fails once a week is never punished and a crash loop is seen whatever its rhythm.
 */

import { type BackoffPolicy, backoffMs } from '../base/backoff.ts';
import type { ExitReason } from '../sandbox/exit.ts';

export interface FailureScore {
  readonly score: number;
  /** Monotonic milliseconds at which `score` was true. */
  readonly at: number;
}

export const NO_FAILURES: FailureScore = { score: 0, at: 0 };

const HALF_LIFE_MS = 10 * 60_000;
/** Over this the plugin is in a crash loop. */
export const CRASH_LOOP_SCORE = 5;
/** How long a crash loop rests before one half-open try. */
export const QUARANTINE_MS = 5 * 60_000;

const QUICK: BackoffPolicy = { initialMs: 250, maxMs: 60_000, factor: 2 };
const SLOW: BackoffPolicy = { initialMs: 1_000, maxMs: 120_000, factor: 2 };

/** Failures that tend to outlive a restart wait longer. */
const BACKOFF: Readonly<Record<ExitReason, BackoffPolicy>> = {
  crash: QUICK,
  exited: QUICK,
  hang: QUICK,
  unhealthy: QUICK,
  protocol: QUICK,
  out_of_memory: SLOW,
  leak: SLOW,
  flood: SLOW,
  failed_start: SLOW,
  bad_config: SLOW,
  stopped: QUICK,
};

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly score: FailureScore }
  | { readonly kind: 'quarantine'; readonly delayMs: number; readonly score: FailureScore }
  | { readonly kind: 'give_up'; readonly score: FailureScore };

export function decayedScore(score: FailureScore, now: number): number {
  return score.score * 0.5 ** (Math.max(0, now - score.at) / HALF_LIFE_MS);
}

/** `random` in [0, 1). */
export function decideRestart(
  history: FailureScore,
  options: { readonly reason: ExitReason; readonly now: number; readonly random: number },
): RestartDecision {
  const { reason, now, random } = options;
  const score = { score: decayedScore(history, now) + 1, at: now };
  if (reason === 'bad_config') return { kind: 'give_up', score };
  if (score.score > CRASH_LOOP_SCORE) {
    // Resting is no merit: the score decays from the half-open try on, so that a try which fails soon is the only one. Bounded,
    // so that a plugin which runs again is forgiven after minutes, however long it had failed.
    const rested = { score: Math.min(score.score, CRASH_LOOP_SCORE + 1), at: now + QUARANTINE_MS };
    return { kind: 'quarantine', delayMs: QUARANTINE_MS, score: rested };
  }
  return { kind: 'restart', delayMs: backoffMs(BACKOFF[reason], Math.round(score.score), random), score };
}
