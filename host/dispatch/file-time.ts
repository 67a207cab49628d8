/**
 * Times as they stand in the file of the outbox: on a scale of its own, which goes on evenly while khook runs, whatever is done to the
 * wall clock. It is wall time less all steps by which somebody set that clock under a running khook; the sum of them stands in the file
 * too. So windows, delays and ages are in the next life what they would have been without the step. What happens to the clock while no
 * khook runs cannot be known.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { DedupRecord } from './dedup.ts';
import type { Delivery, DeliveryState } from './delivery.ts';

/** A difference that is smaller is none: clocks are adjusted all the time. */
const STEP_MS = 1_000;

export class FileTime {
  readonly #clock: Clock;
  readonly #onStepped: (byMs: number) => void;
  /** Wall less monotonic time. */
  #offset: number;
  #steppedMs = 0;

  constructor(clock: Clock, onStepped: (byMs: number) => void) {
    this.#clock = clock;
    this.#onStepped = onStepped;
    this.#offset = clock.wall() - clock.now();
  }

  /** All steps so far, of earlier lives too. */
  get steppedMs(): number {
    return this.#steppedMs;
  }

  /** Now, on the scale of the file. */
  get now(): number {
    return Math.floor(this.#offset + this.#clock.now() - this.#steppedMs);
  }

  /** What earlier lives have left. Once, when the file is first read. */
  resume(steppedMs: number): void {
    this.#steppedMs += steppedMs;
    // It may have been long at fault before.
    this.look();
  }

  /** Notices a step, and tells of it. */
  look(): void {
    const byMs = Math.round(this.#clock.wall() - this.#clock.now() - this.#offset);
    if (Math.abs(byMs) < STEP_MS) return;
    this.#offset += byMs;
    this.#steppedMs += byMs;
    this.#onStepped(byMs);
  }
}

/** The same with each of its times that much later. */
export function movedDelivery(delivery: Delivery, byMs: number): Delivery {
  if (byMs === 0) return delivery;
  const { acceptedAt, redrivenAt, calls, state } = delivery;
  return {
    ...delivery,
    acceptedAt: acceptedAt + byMs,
    state: movedState(state, byMs),
    ...(redrivenAt === undefined ? {} : { redrivenAt: redrivenAt + byMs }),
    ...(calls === undefined ? {} : { calls: { ...calls, firstAt: calls.firstAt + byMs, lastAt: calls.lastAt + byMs } }),
  };
}

export function movedRecord(record: DedupRecord, byMs: number): DedupRecord {
  if (byMs === 0) return record;
  return { ...record, firstSeen: record.firstSeen + byMs, lastSeen: record.lastSeen + byMs };
}

function movedState(state: DeliveryState, byMs: number): DeliveryState {
  switch (state.kind) {
    case 'queued':
    case 'calling':
    case 'following':
      return { ...state, since: state.since + byMs };
    case 'waiting':
      return { ...state, nextAttemptAt: state.nextAttemptAt + byMs };
    case 'delivered':
    case 'dead':
      return { ...state, at: state.at + byMs };
  }
}
