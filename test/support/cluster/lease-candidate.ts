/** One candidate of an election over a real API server, inside the test's process, on a connection that the test can spoil. */

import { ApiClient } from '../../../host/cluster/api-client.ts';
import { ApiLeaseStore } from '../../../host/cluster/api-lease-store.ts';
import { LEASE_NAME } from '../../../host/cluster/election.ts';
import { LeaderLease } from '../../../host/cluster/leader-lease.ts';
import type { LeaseTiming } from '../../../host/cluster/lease-policy.ts';
import { systemClock } from '../../../ipc/clock.ts';
import type { KubernetesConnection } from '../../../ipc/control.ts';
import { CHART } from '../helm.ts';
import { TcpProxy } from '../tcp-proxy.ts';
import type { ControlPlane } from './control-plane.ts';

export interface CandidateOptions {
  readonly identity: string;
  readonly namespace: string;
  readonly token: string;
  readonly timing: LeaseTiming;
}

export class LeaseCandidate {
  readonly lease: LeaderLease;
  readonly proxy: TcpProxy;
  readonly identity: string;
  /** `noun:verb detail`, as they came. */
  readonly said: string[] = [];
  readonly client: ApiClient;

  private constructor(
    { identity, namespace, token, timing }: CandidateOptions,
    { ca, proxy }: { ca: string; proxy: TcpProxy },
  ) {
    this.identity = identity;
    this.proxy = proxy;
    this.client = clientOf({ server: `https://127.0.0.1:${proxy.port}`, ca, token, namespace });
    const store = new ApiLeaseStore({ client: this.client, namespace, name: LEASE_NAME });
    this.lease = new LeaderLease({ store, identity, clock: systemClock, random: Math.random, timing });
    const { events } = this.lease;
    events.on('leadership:acquired', ({ from }) => this.said.push(`acquired ${from}`));
    events.on('leadership:lost', ({ why }) => this.said.push(`lost ${why}`));
    events.on('lease:fault', ({ message }) => this.said.push(`fault ${message}`));
    events.on('lease:recovered', () => this.said.push('recovered'));
    events.on('lease:released', () => this.said.push('released'));
  }

  static async start(plane: ControlPlane, options: CandidateOptions): Promise<LeaseCandidate> {
    const proxy = await TcpProxy.start(plane.port);
    const candidate = new LeaseCandidate(options, { ca: plane.ca, proxy });
    candidate.lease.start();
    return candidate;
  }

  async end(): Promise<void> {
    this.proxy.heal();
    await this.lease.release();
    this.client[Symbol.dispose]();
    await this.proxy.stop();
  }
}

/** All that the chart gives to a khook of this namespace, as its account `khook`. */
export async function allowElection(plane: ControlPlane, namespace: string): Promise<void> {
  const template = ['template', 'khook', CHART, '--namespace', namespace, '--show-only', 'templates/rbac.yaml'];
  const rendered = await plane.helm(template);
  const applied = await plane.kubectl(['apply', '-f', '-'], { input: rendered.stdout });
  if (applied.code !== 0) throw new Error(`${rendered.stderr}${applied.stderr}`);
}

export function clientOf(options: Pick<KubernetesConnection, 'server' | 'ca' | 'token' | 'namespace'>): ApiClient {
  const connection: KubernetesConnection = { ...options, clientCertificate: null, skipTlsVerify: false };
  const source = { connection, problem: null, renew: async () => connection };
  return new ApiClient({ source, clock: systemClock });
}
