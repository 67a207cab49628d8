/** When a Hook's status is written: at once if it was not written lately, else after a gap that gathers what comes meanwhile. Pure. */

/**
 * What has changed, the less urgent first: the same event was seen again; something else; an agent took a message, which must not be sent
 * again by whoever takes over; it fired, and an agent is about to be called.
 */
export const URGENCIES = ['seen', 'changed', 'sent', 'fired'] as const;
export type Urgency = (typeof URGENCIES)[number];

/** Between two writes of one Hook. */
const GAP_MS: Readonly<Record<Urgency, number>> = { seen: 30_000, changed: 3_000, sent: 1_000, fired: 1_000 };
/** Longer the more has to be sent: each write carries all of a Hook's active events. */
const GAP_PER_EVENT_MS = 3;

export interface Writes {
  /** Monotonic; null: not in this life. */
  readonly writtenAt: number | null;
  /** Active events in the status. */
  readonly events: number;
}

/** Monotonic. */
export function writeDueAt({ writtenAt, events }: Writes, urgency: Urgency, now: number): number {
  if (writtenAt === null) return now;
  return Math.max(now, writtenAt + GAP_MS[urgency] + events * GAP_PER_EVENT_MS);
}

export function moreUrgent(a: Urgency | null, b: Urgency): Urgency {
  return a !== null && URGENCIES.indexOf(a) > URGENCIES.indexOf(b) ? a : b;
}
