/**
 * When a plugin uses too much of a core: a pure function over (history, reading, limits). The share is taken over a window of
 * seconds, so that work in bursts never meets it; a loop that spins without doing anything does.
 */

import { seconds, type Verdict } from './verdict.ts';
import type { WatchedLimits } from './watched.ts';

export const CPU_WINDOW_MS = 3_000;

export interface CpuReading {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Since its birth. */
  readonly cpuSeconds: number;
}

/** `history`: earlier readings of the same vessel, oldest first. A limit of 1 is none: one thread cannot use more. */
export function judgeCpu(
  history: readonly CpuReading[],
  reading: CpuReading,
  { limits }: { readonly limits: Pick<WatchedLimits, 'cpuShare'> },
): Verdict | null {
  if (limits.cpuShare >= 1) return null;
  // The youngest that is old enough: the window is as short as it can be.
  const start = history.findLast(({ at }) => reading.at - at >= CPU_WINDOW_MS);
  if (start === undefined) return null;
  const overMs = reading.at - start.at;
  const share = ((reading.cpuSeconds - start.cpuSeconds) * 1000) / overMs;
  if (share <= limits.cpuShare) return null;
  const detail = `used ${percent(Math.min(share, 1))} of a core for ${seconds(overMs)}, limit ${percent(limits.cpuShare)}`;
  return { reason: 'hang', detail };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
