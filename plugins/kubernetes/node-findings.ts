/** What the conditions of a node tell. */

import { type Finding, timeOf } from './finding.ts';
import type { Condition } from './pod-object.ts';

export interface NodeObject {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly name?: string;
    readonly creationTimestamp?: string | null;
  };
  readonly status?: { readonly conditions?: readonly Condition[] | null };
}

/** A node that registers is not ready from its first second. */
const REGISTERING_MS = 2_000;
const MAX_READY = 20_000;

export class NodeFindings {
  /** Nodes that were ready: one that has just joined and is not ready yet did not stop being so. */
  readonly #ready = new Set<string>();

  read(node: NodeObject): readonly Finding[] {
    const { uid, name = '', creationTimestamp } = node.metadata;
    const condition = node.status?.conditions?.find(({ type }) => type === 'Ready');
    if (condition?.status === 'True') this.#remember(uid);
    const at = timeOf(condition?.lastTransitionTime);
    if (name === '' || condition === undefined || at === null || condition.status === 'True') return [];
    const joinedAt = timeOf(creationTimestamp) ?? Number.NEGATIVE_INFINITY;
    if (!this.#ready.has(uid) && at < joinedAt + REGISTERING_MS) return [];
    const { reason = 'NodeNotReady', message = '', status = '' } = condition;
    const event = {
      type: 'node-not-ready',
      resourceName: name,
      message: `Node ${name} is not ready${message === '' ? '' : `: ${message}`}`,
      reason,
      timestamp: new Date(at).toISOString(),
      metadata: { kind: 'Node', apiVersion: 'v1', uid, ready: status },
    };
    return [{ kind: 'occurrence', key: `${uid}/ready`, at, count: 0, event }];
  }

  forget({ metadata: { uid } }: NodeObject): void {
    this.#ready.delete(uid);
  }

  #remember(uid: string): void {
    this.#ready.add(uid);
    const [oldest] = this.#ready;
    if (this.#ready.size > MAX_READY && oldest !== undefined) this.#ready.delete(oldest);
  }
}
