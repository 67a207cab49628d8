// Runs in a pool thread.
/** What a pod belongs to, told by its name: all pods of a workload that fall over together are one thing to an agent. */

import type { DecodedEvent } from './event.ts';

// The letters that Kubernetes makes its random endings of: without vowels, so that no words come out.
const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]';
/** `web-7d4b9c6f5-abcde`: of a Deployment. */
const OF_REPLICA_SET = new RegExp(`^(.+)-${RANDOM}{6,10}-[a-z0-9]{5}$`);
const REPLICA_SET = new RegExp(`^(.+)-${RANDOM}{6,10}$`);
/** `web-x7k2p`: of a DaemonSet or a Job; `backup-28401240-x7k2p`: of a CronJob. */
const OF_CONTROLLER = new RegExp(`^(.+?)(?:-\\d{8,10})?-${RANDOM}{5}$`);
/** `web-0`: of a StatefulSet. */
const OF_STATEFUL_SET = /^(.+)-\d{1,4}$/;

/** Whoever sends an event may know better: `metadata.owner` (a name, or an object with one) and `tags.workload` win. */
export function workloadOf({ resourceName, metadata, tags }: DecodedEvent): string {
  const owner = metadata?.owner;
  const told = [
    typeof owner === 'object' && owner !== null ? (owner as { name?: unknown }).name : owner,
    tags?.workload,
  ];
  for (const name of told) if (typeof name === 'string' && name !== '') return name;
  const kind = metadata?.kind;
  if (kind === 'ReplicaSet') return REPLICA_SET.exec(resourceName)?.[1] ?? resourceName;
  // The name of a node ends as that of a pod may.
  const isPod = typeof kind !== 'string' || kind === '' || kind === 'Pod';
  return isPod ? podOwner(resourceName) : resourceName;
}

export function podOwner(pod: string): string {
  for (const pattern of [OF_REPLICA_SET, OF_CONTROLLER, OF_STATEFUL_SET]) {
    const owner = pattern.exec(pod)?.[1];
    if (owner !== undefined) return owner;
  }
  return pod;
}
