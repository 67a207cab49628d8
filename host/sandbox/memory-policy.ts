/**
 * When a plugin holds too much memory: a pure function over (history, reading, limits, now).
 *
 * The size of a heap says little: a healthy plugin floats far above what it holds between two collections. So a plugin that is over
 * its limit is asked to collect, and judged by what it still holds then, more than once. Only a plugin that does not let its garbage
 * be collected is judged by its raw size.
 *
 * Times are the watchdog's: they stand still while the host itself was held up.
 */

import { megabytes, seconds, type Verdict } from './verdict.ts';
import type { WatchedLimits } from './watched.ts';

/** While it starts it makes garbage that a running plugin does not: its code is parsed, its types are stripped. */
const GRACE_MS = 1_000;
/**
 * Collections in a row that find too much. One is none: on a busy machine the sizes are read some garbage after the collection, and
 * a little too much is looked at twice more for that.
 */
const STRIKES = 2;
const STRIKES_NEAR = 4;
const NEAR = 1.25;
/** Until the next collection is asked for: after one that found too much, and after one that did not. */
const AGAIN_MS = 200;
const REST_MS = 1_000;
/** Multiples of the limit: where resting and grace end, where an unanswered collection is a burst, where nothing is waited for. */
const RESTLESS = 2;
const BURST = 3;
const SWELL = 6;
const KILL = 12;
/** How long a collection may be unanswered: above SWELL, above BURST, and above the limit itself. */
const SWELL_MS = 250;
const BURST_MS = 400;
const UNANSWERED_MS = 1_500;

export interface MemoryHistory {
  /** Collections in a row that found more than the limit. */
  readonly strikes: number;
  /** When the collection that is awaited was asked for. */
  readonly askedAt: number | null;
  /** Not before this is the next one asked for. */
  readonly nextAskAt: number;
}

export interface MemoryReading {
  readonly bornAt: number;
  /** Heap, external and malloced as of the last answer. */
  readonly rawBytes: number;
  /** What a collection that was awaited left, or null while there is no answer. */
  readonly collectedBytes: number | null;
}

export interface MemoryJudgement {
  readonly history: MemoryHistory;
  /** A collection is to be asked for now. */
  readonly ask: boolean;
  readonly verdict: Verdict | null;
}

export const NO_MEMORY_HISTORY: MemoryHistory = { strikes: 0, askedAt: null, nextAskAt: 0 };

export function judgeMemory(
  history: MemoryHistory,
  reading: MemoryReading,
  { limits, now }: { readonly limits: Pick<WatchedLimits, 'memoryBytes'>; readonly now: number },
): MemoryJudgement {
  const limit = limits.memoryBytes;
  const { rawBytes, collectedBytes, bornAt } = reading;
  if (rawBytes > KILL * limit) return end(history, 'out_of_memory', `memory ${of(rawBytes, limit)}`);
  if (history.askedAt === null) {
    const isDue = now >= history.nextAskAt || rawBytes > RESTLESS * limit;
    if (rawBytes <= limit || !isDue) return { history, ask: false, verdict: null };
    return { history: { ...history, askedAt: now }, ask: true, verdict: null };
  }
  if (collectedBytes === null) {
    const waitedMs = now - history.askedAt;
    if (rawBytes <= limit || waitedMs < patienceMs(rawBytes / limit)) return { history, ask: false, verdict: null };
    const detail = `memory ${of(rawBytes, limit)}, and nothing could be collected for ${seconds(waitedMs)}`;
    return end(history, 'out_of_memory', detail);
  }
  if (collectedBytes <= limit) return rest({ strikes: 0, askedAt: null, nextAskAt: now + REST_MS });
  // A plugin that is still starting is asked again, but nothing is held against it, unless it is far beyond what a start takes.
  const isStarting = now - bornAt < GRACE_MS && collectedBytes <= RESTLESS * limit;
  const strikes = isStarting ? 0 : history.strikes + 1;
  if (strikes >= (collectedBytes > NEAR * limit ? STRIKES : STRIKES_NEAR))
    return end(history, 'leak', `memory ${megabytes(collectedBytes)} after collection, limit ${megabytes(limit)}`);
  return rest({ strikes, askedAt: null, nextAskAt: now + AGAIN_MS });
}

function patienceMs(multiple: number): number {
  if (multiple > SWELL) return SWELL_MS;
  return multiple > BURST ? BURST_MS : UNANSWERED_MS;
}

function of(bytes: number, limit: number): string {
  return `${megabytes(bytes)}, limit ${megabytes(limit)}`;
}

function rest(history: MemoryHistory): MemoryJudgement {
  return { history, ask: false, verdict: null };
}

function end(history: MemoryHistory, reason: Verdict['reason'], detail: string): MemoryJudgement {
  return { history, ask: false, verdict: { reason, detail } };
}
