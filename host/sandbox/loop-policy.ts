/**
 * When a plugin's event loop counts as hung: a pure function over (reading, limits). Only silence is judged, never what an answer
 * says. The silence is counted on the watchdog's time, which stands still while the host itself was held up: a host that could not
 * listen blames nobody for having heard nothing.
 */

import { seconds, type Verdict } from './verdict.ts';
import type { WatchedLimits } from './watched.ts';

export interface LoopReading {
  /** When the oldest question that has no answer was asked, or null. */
  readonly unansweredSince: number | null;
  /** Its runtime has answered once; until then it is starting, and the start has its own deadline. */
  readonly hasAnswered: boolean;
}

export function silenceMs({ unansweredSince, hasAnswered }: LoopReading, now: number): number {
  return hasAnswered && unansweredSince !== null ? Math.max(0, now - unansweredSince) : 0;
}

export function judgeLoop(
  reading: LoopReading,
  { limits, now }: { readonly limits: Pick<WatchedLimits, 'hangTimeoutMs'>; readonly now: number },
): Verdict | null {
  const silent = silenceMs(reading, now);
  if (silent <= limits.hangTimeoutMs) return null;
  const detail = `its event loop stood still for ${seconds(silent)}, limit ${seconds(limits.hangTimeoutMs)}`;
  return { reason: 'hang', detail };
}
