/**
 * Who of several khooks acts: this one, if it is alone, else the winner of an election. The election begins when `start` is called, which
 * must not be before the data folder is locked: the name that is stood under is kept there.
 */

import { hostname } from 'node:os';
import type { Clock } from '../ipc/clock.ts';
import type { AppOptions } from './app-options.ts';
import type { Emitter } from './base/emitter.ts';
import { HostError } from './base/errors.ts';
import { ApiClient, type ConnectionSource } from './cluster/api-client.ts';
import { Election } from './cluster/election.ts';
import type { ClusterEvents } from './cluster/events.ts';
import type { Leadership } from './cluster/leadership.ts';
import { leaseIdentity } from './cluster/lease-identity.ts';

export interface CandidacyOptions {
  readonly app: AppOptions;
  readonly source: ConnectionSource;
  readonly clock: Clock;
  /** Tells what the election says. */
  readonly events: Emitter<ClusterEvents>;
}

const LEASE_EVENTS = [
  'leadership:acquired',
  'leadership:lost',
  'lease:holder',
  'lease:fault',
  'lease:recovered',
  'lease:released',
] as const;
const LABEL_EVENTS = ['label:fault', 'label:recovered'] as const;

export class Candidacy implements Leadership, AsyncDisposable {
  readonly #options: CandidacyOptions;
  #election: Election | null = null;
  #client: ApiClient | null = null;

  /** Throws HOST_ERR_CLUSTER_UNREACHABLE when an election is wanted and there is no cluster to hold it in. */
  constructor(options: CandidacyOptions) {
    this.#options = options;
    const { app, source } = options;
    if (!app.environment.leaderElection || source.connection !== null) return;
    const message = `LEADER_ELECTION is true, and there is no cluster to hold an election in: ${source.problem}; set LEADER_ELECTION to false where khook is alone`;
    throw new HostError('HOST_ERR_CLUSTER_UNREACHABLE', message, { kind: 'user' });
  }

  get isLeader(): boolean {
    return this.#options.app.environment.leaderElection ? (this.#election?.isLeader ?? false) : true;
  }

  get events(): Emitter<ClusterEvents> {
    return this.#options.events;
  }

  start(): void {
    const { app, source, clock, events } = this.#options;
    const { leaderElection, podName, podNamespace } = app.environment;
    if (!leaderElection || this.#election !== null) return;
    const client = new ApiClient({ source, clock });
    const election = new Election({
      client,
      namespace: podNamespace ?? source.connection?.namespace ?? 'default',
      pod: podName,
      identity: leaseIdentity({ pod: podName ?? hostname(), directory: app.dataDirectory }),
      clock,
      random: Math.random,
    });
    for (const name of LEASE_EVENTS) election.events.on(name, (said) => events.emit(name, said));
    for (const name of LABEL_EVENTS) election.labelEvents?.on(name, (said) => events.emit(name, said));
    this.#client = client;
    this.#election = election;
    election.start();
  }

  /** When nothing is fired any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#election?.release();
    this.#client?.[Symbol.dispose]();
  }
}
