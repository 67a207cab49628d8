/**
 * What other records of firings (those of another khook, in the status of Hooks) mean for what stands in the outbox. Pure. Of two firings of a key the
 * newer one counts; one that an agent took is not sent again, by whomever; one that no agent took may fire again, and keeps its messageId then.
 */

import type { DedupRecord, DedupSubject } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import type { DispatchEvents } from './events.ts';

/** Times in wall milliseconds. */
export interface RecordedFiring extends DedupSubject {
  /** Empty: not known. */
  readonly messageId: string;
  /** When it fired. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** When an agent took it; null: none has, as far as was written. */
  readonly lastNotified: number | null;
}

export interface OutboxContents {
  readonly deliveries: readonly Delivery[];
  readonly fired: readonly DedupRecord[];
}

export interface Takeover {
  /** What the dedup window has to know. */
  readonly fired: readonly DedupRecord[];
  /** To go on with. */
  readonly deliveries: readonly Delivery[];
  /** Of the outbox, and over: somebody has seen to them. */
  readonly settled: readonly DispatchEvents['firing:settled'][];
  /** They fired, and were perhaps not sent: when their keys fire again, it is under the same messageId. */
  readonly unsent: readonly RecordedFiring[];
}

export function takeover(recorded: readonly RecordedFiring[], outbox: OutboxContents): Takeover {
  const byKey = new Map(recorded.map((record) => [record.dedupKey, record]));
  const settled: DispatchEvents['firing:settled'][] = [];
  const deliveries: Delivery[] = [];
  for (const delivery of outbox.deliveries) {
    const end = endOf(delivery, byKey.get(delivery.firing.dedupKey));
    if (end === null) deliveries.push(delivery);
    else settled.push(end);
  }
  const fired = new Map(outbox.fired.map((record) => [record.dedupKey, record]));
  const waiting = new Set(deliveries.map(({ firing }) => firing.dedupKey));
  const unsent: RecordedFiring[] = [];
  for (const record of recorded) {
    const known = fired.get(record.dedupKey);
    const isKnown = waiting.has(record.dedupKey) || (known !== undefined && known.firstSeen >= record.firstSeen);
    if (isKnown) continue;
    if (record.lastNotified !== null) fired.set(record.dedupKey, asFired(record));
    else if (record.messageId !== '') unsent.push(record);
  }
  return { fired: [...fired.values()], deliveries, settled, unsent };
}

function endOf(delivery: Delivery, record: RecordedFiring | undefined): DispatchEvents['firing:settled'] | null {
  if (record === undefined || record.lastNotified === null) return null;
  const at = new Date(record.lastNotified).toISOString();
  if (record.messageId === delivery.messageId) {
    // A task that is followed is followed to its end by whoever knows it.
    if (delivery.state.kind === 'following') return null;
    return {
      delivery,
      outcome: 'delivered',
      detail: `the agent has taken it at ${at}, as the status of its Hook says`,
    };
  }
  if (record.firstSeen <= delivery.acceptedAt) return null;
  const detail = `another khook has sent message ${record.messageId} for it at ${at}`;
  return { delivery, outcome: 'duplicate', detail };
}

function asFired({ dedupKey, hook, eventType, resourceName, firstSeen, lastSeen }: RecordedFiring): DedupRecord {
  return { dedupKey, hook, eventType, resourceName, firstSeen, lastSeen, duplicates: 0 };
}
