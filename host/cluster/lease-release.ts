/** Gives a lease back, so that nobody has to wait until it expires. */

import { type Clock, delay } from '../../ipc/clock.ts';
import { releasedRecord } from './lease-policy.ts';
import type { TimedLeaseStore } from './timed-lease-store.ts';

export interface LeaseReleaseOptions {
  readonly store: TimedLeaseStore;
  readonly identity: string;
  readonly clock: Clock;
}

const TRIES = 3;
const AGAIN_MS = 100;

/** Resolves with whether it was held and now is nobody's. Rejects when the store fails, or is given up. */
export async function releaseLease({ store, identity, clock }: LeaseReleaseOptions): Promise<boolean> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const stored = await store.read();
    if (stored === null || stored.record.holder !== identity) return false;
    const written = await store.write(releasedRecord(stored.record, clock.wall()), stored);
    if (written !== null) return true;
    // A renewal that was under way has been carried out in between.
    await delay(clock, AGAIN_MS);
  }
  throw new Error(`it changed ${TRIES} times while it was released`);
}
