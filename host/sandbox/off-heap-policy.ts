/**
 * Memory that no heap accounts for: queues of ports, blobs, native objects. It shows in the resident memory of the host alone, so it
 * is judged for all threads together, and laid at the door of the thread that made the system hand out most. A pure function over
 * the last moments.
 *
 * It takes three signs to blame a thread: the host's unexplained memory stands far above where it was, it grew just now, and this
 * thread, or the thread pool for it, had more new memory handed out than its own heap explains. Churn alone (memory that is taken and given back) shows none of
 * the growth; growth of somebody else shows no new memory in this thread.
 */

import { megabytes, seconds, type Verdict } from './verdict.ts';

const MIB = 1024 * 1024;
/** How far above the lowest of the history: a multiple of the thread's limit, and never less than what a host breathes by itself. */
const LIMIT_FACTOR = 2;
export const UNEXPLAINED_BYTES = 128 * MIB;
/** The thread's own share of it. */
export const BLAMED_BYTES = 40 * MIB;
/** The part of what the host grew by that all threads together explain: what most of it came from is not to be found here otherwise. */
const BLAMED_SHARE = 1 / 3;
/** The share of a thread whose heap has not told yet what became of it, as a multiple of its limit: it may be parsing something large. */
const UNREAD_LIMIT_FACTOR = 4;
/** A quick leak shows in the first, a slow one in the last. */
const WINDOWS_MS = [3_000, 60_000, 600_000] as const;

export interface ThreadMemory {
  readonly id: number;
  /** Handed out by the system since its birth. */
  readonly faultedBytes: number;
  /** Its jobs in the thread pool since its birth, as a number that grows with them. */
  readonly poolWork: number;
  /** What its heap statistics account for. */
  readonly ownBytes: number;
  /** The most that they accounted for since the moment before. */
  readonly heightBytes: number;
  /** The part of `faultedBytes` that came after `ownBytes` was asked for. */
  readonly unreadBytes: number;
  readonly limitBytes: number;
}

/** All threads at one moment. */
export interface Moment {
  readonly at: number;
  /** Resident memory of the host, less what all heap statistics account for. */
  readonly unexplainedBytes: number;
  /** Handed out by the system to the threads of the pool, which work for all. */
  readonly poolFaultedBytes: number;
  readonly threads: readonly ThreadMemory[];
}

export interface Blame {
  readonly id: number;
  readonly verdict: Verdict;
}

/** `history`: earlier moments with the same threads, oldest first. */
export function judgeOffHeap(history: readonly Moment[], present: Moment): Blame | null {
  const lowest = history.reduce((low, { unexplainedBytes }) => Math.min(low, unexplainedBytes), Infinity);
  const excess = present.unexplainedBytes - lowest;
  if (excess <= UNEXPLAINED_BYTES) return null;
  for (const windowMs of WINDOWS_MS) {
    const start = history.find(({ at }) => present.at - at <= windowMs);
    if (start === undefined) continue;
    const grown = present.unexplainedBytes - start.unexplainedBytes;
    if (grown <= BLAMED_BYTES) continue;
    const since = history.filter(({ at }) => at >= start.at);
    const growth = growthOf(since, present);
    // Together: of several that leak at once none may have taken a third.
    const together = growth.reduce((sum, { bytes }) => sum + Math.max(0, bytes), 0);
    if (together < grown * BLAMED_SHARE) continue;
    const most = growth.filter(isBlamed).reduce((a, b) => (b.bytes > a.bytes ? b : a), NOBODY);
    const allowed = Math.max(UNEXPLAINED_BYTES, LIMIT_FACTOR * most.limitBytes);
    if (most === NOBODY || excess <= allowed) continue;
    const overMs = present.at - start.at;
    const detail = `took ${megabytes(most.bytes)} within ${seconds(overMs)} that its heap does not account for; the host grew by ${megabytes(excess)}, limit ${megabytes(allowed)}`;
    return { id: most.id, verdict: { reason: 'leak', detail } };
  }
  return null;
}

interface Growth {
  readonly id: number;
  readonly bytes: number;
  /** The part of it that no heap was asked about yet. */
  readonly unreadBytes: number;
  readonly limitBytes: number;
}

const NOBODY: Growth = { id: -1, bytes: 0, unreadBytes: 0, limitBytes: 0 };

function isBlamed({ bytes, unreadBytes, limitBytes }: Growth): boolean {
  return bytes - unreadBytes > BLAMED_BYTES || bytes > UNREAD_LIMIT_FACTOR * limitBytes;
}

/**
 * What each thread had handed out beyond the growth of its own heap, at its height: a heap that grew and shrank again explains what it
 * took meanwhile. A thread that was not there yet has only just begun. What the thread pool had handed out is laid at the doors of
 * those who used it, in proportion.
 */
function growthOf(since: readonly Moment[], present: Moment): Growth[] {
  const of = (moment: Moment | undefined, id: number): ThreadMemory | undefined =>
    moment?.threads.find((thread) => thread.id === id);
  const pooled = present.poolFaultedBytes - (since[0] ?? present).poolFaultedBytes;
  const workOf = ({ id, poolWork }: ThreadMemory): number => poolWork - (of(since[0], id)?.poolWork ?? 0);
  const work = present.threads.reduce((sum, thread) => sum + workOf(thread), 0);
  return present.threads.map((thread) => {
    const { id, faultedBytes, heightBytes, unreadBytes, limitBytes } = thread;
    const before = of(since[0], id) ?? { faultedBytes: 0, ownBytes: 0 };
    const height = since.reduce((high, moment) => Math.max(high, of(moment, id)?.heightBytes ?? 0), heightBytes);
    const taken = faultedBytes - before.faultedBytes + (work === 0 ? 0 : (pooled * workOf(thread)) / work);
    return { id, unreadBytes, limitBytes, bytes: taken - (height - before.ownBytes) };
  });
}
