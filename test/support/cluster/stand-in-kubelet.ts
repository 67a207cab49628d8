/**
 * Writes what a kubelet writes: nodes and their conditions, pods and their status, Events of both APIs. Nothing runs: a pod
 * crashes because a test says that it did.
 */

import { randomUUID } from 'node:crypto';
import type { ApiClient, ApiObject } from './api-client.ts';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

export interface NodeCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface ContainerState {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: {
    readonly reason: string;
    readonly exitCode: number;
    readonly startedAt?: string;
    readonly finishedAt?: string;
  };
}

export interface ContainerStatus {
  /** Default `main`. */
  readonly name?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
}

export interface EventOptions {
  readonly about: { readonly kind: string; readonly name: string; readonly namespace?: string; readonly uid?: string };
  readonly reason: string;
  readonly message: string;
  /** Default `Warning`. */
  readonly type?: 'Normal' | 'Warning';
  /** Default now. */
  readonly at?: Date;
}

const COMPONENT = 'kubelet';

export class StandInKubelet {
  readonly #api: ApiClient;
  readonly #node: string;

  /** `api` as the administrator. */
  constructor(api: ApiClient, node = 'node-1') {
    this.#api = api;
    this.#node = node;
  }

  /** Its own node, ready. */
  register(): Promise<ApiObject> {
    const capacity = { cpu: '4', memory: '8Gi', pods: '110' };
    const conditions = [condition({ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' })];
    return this.#api
      .create('/api/v1/nodes', { metadata: { name: this.#node } })
      .then(() => this.#patchNode({ capacity, allocatable: capacity, conditions }));
  }

  /** Replaces the condition of its type, leaves the others. */
  async setCondition(wanted: NodeCondition): Promise<ApiObject> {
    const node = await this.#api.get<{ status: { conditions?: NodeCondition[] } }>(`/api/v1/nodes/${this.#node}`);
    const others = (node.status.conditions ?? []).filter(({ type }) => type !== wanted.type);
    return this.#patchNode({ conditions: [...others, condition(wanted)] });
  }

  /** One container, `main`, on this node and running. */
  async runPod({ namespace, name }: PodName): Promise<ApiObject> {
    const containers = [{ name: 'main', image: 'example.com/app:1' }];
    await this.#api.create(`/api/v1/namespaces/${namespace}/pods`, {
      metadata: { name },
      spec: { nodeName: this.#node, containers, automountServiceAccountToken: false },
    });
    return this.setPodStatus({ namespace, name }, [
      { ready: true, state: { running: { startedAt: new Date().toISOString() } } },
    ]);
  }

  setPodStatus({ namespace, name }: PodName, containers: readonly ContainerStatus[]): Promise<ApiObject> {
    const containerStatuses = containers.map((status) => ({
      name: 'main',
      image: 'example.com/app:1',
      imageID: '',
      ready: false,
      restartCount: 0,
      ...status,
    }));
    const status = { phase: 'Running', startTime: new Date().toISOString(), containerStatuses };
    return this.#api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, { status });
  }

  /** At once, as after the grace period. */
  async deletePod({ namespace, name }: PodName): Promise<void> {
    await this.#api.delete(`/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`);
  }

  /** An Event of core/v1, with the legacy fields: how kubelets write them. */
  writeCoreEvent(options: EventOptions): Promise<ApiObject> {
    const { about, reason, message, type = 'Warning', at = new Date() } = options;
    const namespace = about.namespace ?? 'default';
    return this.#api.create(`/api/v1/namespaces/${namespace}/events`, {
      metadata: { name: eventName(about.name), namespace },
      involvedObject: { apiVersion: 'v1', ...about },
      reason,
      message,
      type,
      source: { component: COMPONENT, host: this.#node },
      firstTimestamp: seconds(at),
      lastTimestamp: seconds(at),
      count: 1,
      reportingComponent: COMPONENT,
      reportingInstance: this.#node,
    });
  }

  /** The same thing again: the recorder counts up and moves `lastTimestamp`. */
  repeatCoreEvent(event: ApiObject, count: number, at = new Date()): Promise<ApiObject> {
    const { namespace = 'default', name } = event.metadata;
    return this.#api.patch(`/api/v1/namespaces/${namespace}/events/${name}`, { count, lastTimestamp: seconds(at) });
  }

  /** An Event of events.k8s.io/v1: how newer controllers, the scheduler among them, write them. */
  writeEvent(options: EventOptions): Promise<ApiObject> {
    const { about, reason, message, type = 'Warning', at = new Date() } = options;
    const namespace = about.namespace ?? 'default';
    return this.#api.create(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`, {
      metadata: { name: eventName(about.name), namespace },
      regarding: { apiVersion: 'v1', ...about },
      reason,
      note: message,
      type,
      action: 'Run',
      eventTime: micros(at),
      reportingController: `kubernetes.io/${COMPONENT}`,
      reportingInstance: this.#node,
    });
  }

  /** The same thing again: the first repeat begins a series. */
  repeatEvent(event: ApiObject, count: number, at = new Date()): Promise<ApiObject> {
    const { namespace = 'default', name } = event.metadata;
    const series = { count, lastObservedTime: micros(at) };
    return this.#api.patch(`/apis/events.k8s.io/v1/namespaces/${namespace}/events/${name}`, { series });
  }

  #patchNode(status: unknown): Promise<ApiObject> {
    return this.#api.patch(`/api/v1/nodes/${this.#node}/status`, { status });
  }
}

function condition(wanted: NodeCondition): Record<string, string> {
  const now = seconds(new Date());
  return { ...wanted, lastHeartbeatTime: now, lastTransitionTime: now };
}

/** NAME.HEX, as recorders name Events. */
function eventName(about: string): string {
  return `${about}.${randomUUID().replaceAll('-', '').slice(0, 16)}`;
}

/** metav1.Time has whole seconds. */
function seconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime has six digits. */
function micros(at: Date): string {
  return at.toISOString().replace('Z', '000Z');
}
