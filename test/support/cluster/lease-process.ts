/**
 * A candidate that is a process of its own, to be killed and frozen: `lease-process.ts OPTIONS-AS-JSON`. Says on stdout `follows` when it sees
 * another lead, and when it begins and ends to lead itself: it looks every few milliseconds, as one that fires would, with the time of
 * the machine's monotonic clock.
 */

import { ApiLeaseStore } from '../../../host/cluster/api-lease-store.ts';
import { LEASE_NAME } from '../../../host/cluster/election.ts';
import { LeaderLease } from '../../../host/cluster/leader-lease.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { type CandidateOptions, clientOf } from './lease-candidate.ts';

export interface ProcessOptions extends CandidateOptions {
  readonly server: string;
  readonly ca: string;
}

/** A line of its output. */
export interface LeadLine {
  readonly leads: boolean;
  /** Milliseconds: of the look that saw it lead first, or last. */
  readonly at: number;
}

const LOOK_MS = 5;

export function machineNow(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

if (process.argv[1] === import.meta.filename) {
  const { identity, namespace, timing, ...connection } = JSON.parse(process.argv[2] ?? '') as ProcessOptions;
  const client = clientOf({ ...connection, namespace });
  const store = new ApiLeaseStore({ client, namespace, name: LEASE_NAME });
  const lease = new LeaderLease({ store, identity, clock: systemClock, random: Math.random, timing });
  const say = (line: LeadLine): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
  lease.events.on('lease:holder', () => process.stdout.write('follows\n'));
  lease.start();
  let ledAt: number | null = null;
  setInterval(() => {
    // The time first: one that is frozen between the two must not seem to lead later than it did.
    const at = machineNow();
    if (lease.isLeader) {
      if (ledAt === null) say({ leads: true, at });
      ledAt = at;
    } else if (ledAt !== null) {
      say({ leads: false, at: ledAt });
      ledAt = null;
    }
  }, LOOK_MS);
}
