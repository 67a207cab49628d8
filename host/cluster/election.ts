/**
 * Several khooks, of which one acts: stands for election by the Lease, and labels the pod of the one that won. What `LEADER_ELECTION=true`
 * stands for; without it khook is `ALWAYS_LEADING`.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { Subscribable } from '../base/emitter.ts';
import type { ApiClient } from './api-client.ts';
import { ApiLeaseStore } from './api-lease-store.ts';
import { LeaderLabel } from './leader-label.ts';
import { LeaderLease } from './leader-lease.ts';
import type { Leadership } from './leadership.ts';
import type { LabelEvents, LeaseEvents } from './lease-events.ts';
import type { LeaseTiming } from './lease-policy.ts';

/** Upstream's: a khook of either kind keeps the other one from acting. */
export const LEASE_NAME = 'khook';

export interface ElectionOptions {
  /** One of its own: behind a network that forgot its connections, each one that others left open would cost an attempt. */
  readonly client: ApiClient;
  /** Of khook itself: where the Lease is. */
  readonly namespace: string;
  /** The pod that this process runs in; null: in none, so there is nothing to label. */
  readonly pod: string | null;
  /** See `leaseIdentity`. */
  readonly identity: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly timing?: LeaseTiming;
}

export class Election implements Leadership {
  readonly #lease: LeaderLease;
  readonly #label: LeaderLabel | null;

  constructor({ client, namespace, pod, timing, ...own }: ElectionOptions) {
    const store = new ApiLeaseStore({ client, namespace, name: LEASE_NAME });
    this.#lease = new LeaderLease({ store, ...own, ...(timing !== undefined && { timing }) });
    const { clock, random } = own;
    this.#label =
      pod === null
        ? null
        : new LeaderLabel({ client, pod: { namespace, name: pod }, leadership: this.#lease, clock, random });
  }

  get isLeader(): boolean {
    return this.#lease.isLeader;
  }

  /** Who leads as far as is known here; empty: nobody. */
  get holder(): string {
    return this.#lease.holder;
  }

  get events(): Subscribable<LeaseEvents> {
    return this.#lease.events;
  }

  /** null: no pod is labelled. */
  get labelEvents(): Subscribable<LabelEvents> | null {
    return this.#label?.events ?? null;
  }

  start(): void {
    this.#label?.start();
    this.#lease.start();
  }

  /** When nothing is fired any more, and before the client is closed. Never rejects; takes a moment while the API server answers, and 5 s at most. */
  async release(): Promise<void> {
    await Promise.all([this.#label?.remove(), this.#lease.release()]);
  }
}
