/**
 * When a plugin that ended may start again: a pure function over (history, exit, now). Each failure adds one to a score that halves
 * every ten minutes, so a plugin that fails once a week is never punished and a crash loop is seen whatever its rhythm.
 *
 *   reason                                                  first failure    later ones: anywhere below a ceiling (full jitter) of
 *   crash, exited, hang, unhealthy                          at once          0.75 s · 2.3 s · 6.8 s · 20 s
 *   out_of_memory, leak, flood, protocol, failed_start      up to 1 s        3 s · 9 s · 27 s · 81 s
 *   bad_config                                              never            until its configuration or its bundle changes
 *
 * `first` means that the score had fallen below a half: the plugin had run well for long, or had never failed. Memory has to be given
 * back, and a port that is taken stays taken: such failures wait even then. Over the threshold the plugin rests in quarantine, then has
 * one half-open try: a try that runs well for STABLE_MS closes the matter, one that fails sooner goes back at once, for twice as long.
 */

import { type BackoffPolicy, backoffCeilingMs } from '../base/backoff.ts';
import type { ExitReason } from '../sandbox/exit.ts';

export interface FailureHistory {
  readonly score: number;
  /** Monotonic milliseconds at which `score` was true. */
  readonly at: number;
  /** Quarantines in a row; the run that follows one is the half-open try. */
  readonly quarantines: number;
}

export const NO_FAILURES: FailureHistory = { score: 0, at: 0, quarantines: 0 };

const HALF_LIFE_MS = 10 * 60_000;
/** Over this the plugin is in a crash loop. */
export const CRASH_LOOP_SCORE = 5;
/** How long the first quarantine lasts; each one after a failed try is twice as long, up to the longest. */
export const QUARANTINE_MS = 5 * 60_000;
export const LONGEST_QUARANTINE_MS = 30 * 60_000;
/** How long a half-open try must run. A plugin that always runs so long between its failures never gets over the threshold either. */
export const STABLE_MS = 5 * 60_000;

const QUICK: BackoffPolicy = { initialMs: 250, maxMs: 30_000, factor: 3 };
const SLOW: BackoffPolicy = { initialMs: 1_000, maxMs: 120_000, factor: 3 };

interface Backoff {
  readonly policy: BackoffPolicy;
  /** The first failure after a quiet time waits too. */
  readonly alwaysWaits: boolean;
}

const PROMPT: Backoff = { policy: QUICK, alwaysWaits: false };
const PATIENT: Backoff = { policy: SLOW, alwaysWaits: true };

const BACKOFF: Readonly<Record<ExitReason, Backoff>> = {
  crash: PROMPT,
  exited: PROMPT,
  hang: PROMPT,
  unhealthy: PROMPT,
  out_of_memory: PATIENT,
  leak: PATIENT,
  flood: PATIENT,
  protocol: PATIENT,
  failed_start: PATIENT,
  bad_config: PATIENT,
  stopped: PROMPT,
};

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly history: FailureHistory }
  | { readonly kind: 'quarantine'; readonly delayMs: number; readonly history: FailureHistory }
  | { readonly kind: 'give_up'; readonly history: FailureHistory };

export interface Failure {
  readonly reason: ExitReason;
  /** Monotonic milliseconds. */
  readonly now: number;
  /** How long it had been ready; 0 when it never was. */
  readonly ranMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export function decayedScore(history: Pick<FailureHistory, 'score' | 'at'>, now: number): number {
  return history.score * 0.5 ** (Math.max(0, now - history.at) / HALF_LIFE_MS);
}

export function decideRestart(history: FailureHistory, { reason, now, ranMs, random }: Failure): RestartDecision {
  const before = ranMs >= STABLE_MS && history.quarantines > 0 ? NO_FAILURES : history;
  const score = decayedScore(before, now) + 1;
  if (reason === 'bad_config') return { kind: 'give_up', history: { ...before, score, at: now } };
  if (before.quarantines > 0 || score > CRASH_LOOP_SCORE) {
    const quarantines = before.quarantines + 1;
    return { kind: 'quarantine', delayMs: quarantineMs(quarantines), history: { score, at: now, quarantines } };
  }
  const { policy, alwaysWaits } = BACKOFF[reason];
  const attempt = Math.round(score);
  const ceiling = attempt > 1 || alwaysWaits ? backoffCeilingMs(policy, attempt) : 0;
  return { kind: 'restart', delayMs: Math.round(random * ceiling), history: { score, at: now, quarantines: 0 } };
}

function quarantineMs(inARow: number): number {
  return backoffCeilingMs({ initialMs: QUARANTINE_MS, maxMs: LONGEST_QUARANTINE_MS, factor: 2 }, inARow);
}
