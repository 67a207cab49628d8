/** When a host that ended is started again: a pure function over (how it ended, history, now). */

import { constants } from 'node:os';
import { type BackoffPolicy, backoffMs } from './base/backoff.ts';

export interface HostExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** It had said that it serves. */
  readonly wasReady: boolean;
  /** It asked to be replaced, and why; null when it did not. */
  readonly replaced: string | null;
  /** The keeper ended it, because its loop stood still. */
  readonly wasSilent?: boolean;
}

export interface HostHistory {
  /** Failures, halved every minute that passes. */
  readonly score: number;
  readonly at: number;
}

export const NO_DEATHS: HostHistory = { score: 0, at: 0 };

export type KeeperDecision =
  | { readonly kind: 'leave'; readonly code: number }
  | {
      readonly kind: 'restart';
      readonly delayMs: number;
      readonly history: HostHistory;
      /** With every plugin in a process of its own: one of them takes the host with it, and would do so again. */
      readonly isPluginsApart: boolean;
    };

const HALF_LIFE_MS = 60_000;
/** The second death within a minute. */
const APART_SCORE = 1.5;
const BACKOFF: BackoffPolicy = { initialMs: 100, maxMs: 30_000, factor: 2 };

/**
 * A host that left before it served has a reason that a restart does not mend: its exit code is passed on. Others are restarted, the
 * first time at once, then ever more slowly. One that dies again within a minute, or is torn down before it serves, most likely has
 * a plugin that does it: then all of them get processes of their own, the guilty one takes only itself, and its crash loop ends in
 * quarantine.
 */
export function decideHost(
  exit: HostExit,
  options: {
    readonly history: HostHistory;
    readonly now: number;
    readonly random: number;
    readonly isStopping: boolean;
    /** Its plugins were in processes of their own. */
    readonly isPluginsApart: boolean;
  },
): KeeperDecision {
  const { history, now, random, isStopping } = options;
  const isHopeless = !exit.wasReady && (exit.signal === null || options.isPluginsApart);
  if (isStopping || isHopeless || exit.code === 0) return { kind: 'leave', code: exitCode(exit) };
  const score = history.score * 0.5 ** (Math.max(0, now - history.at) / HALF_LIFE_MS) + 1;
  const delayMs = score < 2 ? 0 : backoffMs(BACKOFF, Math.round(score) - 1, random);
  return {
    kind: 'restart',
    delayMs,
    history: { score, at: now },
    isPluginsApart: !exit.wasReady || score >= APART_SCORE,
  };
}

/** One sentence for the log. */
export function describeExit({ code, signal, replaced, wasSilent = false }: HostExit): string {
  if (replaced !== null) return `asked to be replaced: ${replaced}`;
  if (wasSilent) return 'stood still and was ended';
  return signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
}

/** As a shell has it: 128 and the number of the signal. */
function exitCode({ code, signal }: HostExit): number {
  return code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
}
