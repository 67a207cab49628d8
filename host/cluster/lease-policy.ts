/**
 * Who may take a lease, and how long whoever holds it may act: pure functions over (what was observed, now). Clocks of different
 * machines are never compared. A candidate measures with its own monotonic clock how long a lease has not changed; a holder counts from the moment
 * before it asked for the renewal that succeeded. So the holder's time ends `durationMs - renewDeadlineMs` before anybody else's begins, however
 * wrong the clocks on the wall are.
 */

import { type LeaseRecord, microTime } from './lease-record.ts';

export interface LeaseTiming {
  /** For how long nobody else takes a lease that does not change. Whole seconds. */
  readonly durationMs: number;
  /** A holder that could not renew for so long stops; shorter than `durationMs` by what stopping takes. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, and about as long between two looks of a candidate. */
  readonly retryMs: number;
  /** One request; several fit into the deadline, so that one dead connection costs no leadership. */
  readonly attemptMs: number;
}

/** client-go's, which operators know. */
export const LEASE_TIMING: LeaseTiming = {
  durationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
  attemptMs: 2_500,
};

export interface Observation {
  readonly record: LeaseRecord;
  /** Monotonic: when it was first seen as it is. */
  readonly changedAt: number;
}

/** `record`: null when there is no lease, which may mean that somebody deleted it while its holder goes on; then what was seen last counts on. */
export function observe(before: Observation | null, record: LeaseRecord | null, now: number): Observation | null {
  if (record === null) return before;
  return before !== null && isSame(before.record, record) ? before : { record, changedAt: now };
}

export type LeaseVerdict =
  /** `from`: `itself` when an earlier life of this candidate held it. */
  | { readonly kind: 'take'; readonly from: 'nobody' | 'itself' | 'released' | 'expired' }
  | { readonly kind: 'wait'; readonly holder: string; readonly forMs: number };

export function judgeLease(
  observation: Observation | null,
  own: { readonly identity: string; readonly timing: LeaseTiming; readonly now: number },
): LeaseVerdict {
  if (observation === null) return { kind: 'take', from: 'nobody' };
  const { record, changedAt } = observation;
  if (record.holder === own.identity) return { kind: 'take', from: 'itself' };
  if (record.holder === '') return { kind: 'take', from: 'released' };
  const forMs = changedAt + (record.durationMs ?? own.timing.durationMs) - own.now;
  return forMs <= 0 ? { kind: 'take', from: 'expired' } : { kind: 'wait', holder: record.holder, forMs };
}

/** Until when (monotonic) a holder may act whose renewal was asked for at `sentAt` and succeeded. */
export function leadsUntil(sentAt: number, { renewDeadlineMs }: LeaseTiming): number {
  return sentAt + renewDeadlineMs;
}

/** The lease as held from now on. `before`: as it was, null when there was none. */
export function heldRecord(
  before: LeaseRecord | null,
  own: { readonly identity: string; readonly timing: LeaseTiming; readonly wall: number },
): LeaseRecord {
  const renewTime = microTime(own.wall);
  const isNew = before?.holder !== own.identity;
  return {
    holder: own.identity,
    durationMs: own.timing.durationMs,
    renewTime,
    acquireTime: isNew || before === null ? renewTime : before.acquireTime,
    transitions: before === null ? 0 : before.transitions + (isNew ? 1 : 0),
  };
}

/** Nobody's: the next candidate that looks takes it at once. As client-go writes it. */
export function releasedRecord(before: LeaseRecord, wall: number): LeaseRecord {
  const renewTime = microTime(wall);
  return { ...before, holder: '', durationMs: 1_000, renewTime, acquireTime: renewTime };
}

/** In [retry, 2.2 retry): candidates that started together do not go on together. */
export function lookAgainMs({ retryMs }: LeaseTiming, random: number): number {
  return Math.round(retryMs * (1 + 1.2 * random));
}

/** In [retry / 4, retry / 2): a holder whose renewal failed has little time. */
export function renewAgainMs({ retryMs }: LeaseTiming, random: number): number {
  return Math.round((retryMs * (1 + random)) / 4);
}

/** What is wrong with it, or null. */
export function timingFault({ durationMs, renewDeadlineMs, retryMs, attemptMs }: LeaseTiming): string | null {
  if (durationMs < 1_000 || durationMs % 1_000 !== 0) return `durationMs must be whole seconds, got ${durationMs}`;
  if (renewDeadlineMs >= durationMs) return `renewDeadlineMs must be less than durationMs (${durationMs})`;
  if (retryMs <= 0 || attemptMs <= 0) return 'retryMs and attemptMs must be positive';
  if (retryMs + attemptMs >= renewDeadlineMs)
    return `a renewal that takes all its time must fit in ${renewDeadlineMs} ms`;
  return null;
}

function isSame(a: LeaseRecord, b: LeaseRecord): boolean {
  const keys = Object.keys(a) as (keyof LeaseRecord)[];
  return keys.every((key) => a[key] === b[key]);
}
