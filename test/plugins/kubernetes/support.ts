/** Objects of a cluster, a list-watch against a test's own API server, and the plugin as the host would start it. */

import type { TestContext } from 'node:test';
import type { KubernetesConnection, Plugin } from '../../../ipc/plugin-api.ts';
import type { KubernetesConfig } from '../../../plugins/kubernetes/config.ts';
import type { EventObject } from '../../../plugins/kubernetes/event-object.ts';
import { ListWatch } from '../../../plugins/kubernetes/list-watch.ts';
import type { Change, ListWatchTimes, WatchState } from '../../../plugins/kubernetes/list-watch-options.ts';
import type { NodeObject } from '../../../plugins/kubernetes/node-findings.ts';
import type { ContainerStatus, PodObject } from '../../../plugins/kubernetes/pod-object.ts';
import { Turns } from '../../../plugins/kubernetes/turns.ts';
import { ApiServer, type StoredObject } from '../../support/api-server.ts';
import { importPlugin } from '../../support/khook-plugin.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';

export const FAST: ListWatchTimes = {
  watchSeconds: 90,
  silenceMs: 5_000,
  answerMs: 5_000,
  backoffBaseMs: 1,
  backoffCapMs: 4,
  stableMs: 5_000,
};

export const EVENTS_PATH = '/apis/events.k8s.io/v1/events';

/** As Kubernetes writes it: whole seconds. */
export function secondsAgo(seconds: number): string {
  return `${new Date(Date.now() - seconds * 1_000).toISOString().slice(0, 19)}Z`;
}

/** A Warning BackOff about pod `api` that happened now, seen three times. */
export function eventObject(
  uid: string,
  fields: Partial<Omit<EventObject, 'metadata'>> = {},
  metadata: Partial<EventObject['metadata']> = {},
): StoredObject & EventObject {
  const created = secondsAgo(0);
  return {
    metadata: {
      uid,
      name: `api.${uid}`,
      namespace: 'shop',
      resourceVersion: '1',
      creationTimestamp: created,
      ...metadata,
    },
    regarding: { kind: 'Pod', namespace: 'shop', name: 'api', apiVersion: 'v1' },
    type: 'Warning',
    reason: 'BackOff',
    note: 'Back-off restarting failed container',
    deprecatedCount: 3,
    reportingController: 'kubelet',
    reportingInstance: 'node-1',
    ...fields,
  };
}

/** Pod `<name>` of shop, running on node-1, with the container statuses that are given. */
export function podObject(
  name: string,
  containers: readonly Partial<ContainerStatus>[] = [{}],
  status: PodObject['status'] = {},
): StoredObject & PodObject {
  const containerStatuses = containers.map((each, n) => ({
    name: n === 0 ? 'app' : `app-${n}`,
    restartCount: 0,
    state: { running: { startedAt: secondsAgo(3_600) } },
    ...each,
  }));
  return {
    metadata: {
      uid: `uid-${name}`,
      name,
      namespace: 'shop',
      resourceVersion: '1',
      creationTimestamp: secondsAgo(3_600),
    },
    spec: { nodeName: 'node-1' },
    status: { phase: 'Running', containerStatuses, ...status },
  };
}

export function nodeObject(
  name: string,
  ready: { status: string; since: string; reason?: string; message?: string },
  joined = '2026-01-01T00:00:00Z',
): StoredObject & NodeObject {
  const { status, since: lastTransitionTime, reason = 'KubeletReady', message = '' } = ready;
  return {
    metadata: { uid: `uid-${name}`, name, resourceVersion: '1', creationTimestamp: joined },
    status: {
      conditions: [
        { type: 'MemoryPressure', status: 'False' },
        { type: 'Ready', status, reason, message, lastTransitionTime },
      ],
    },
  };
}

export interface Watched {
  readonly api: ApiServer;
  readonly connection: KubernetesConnection;
  readonly objects: EventObject[];
  readonly states: WatchState[];
  /** Up to when everything was told, oldest first. */
  readonly caughtUp: number[];
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** `listed api-1`, `added api-2`, `modified api-1`, `deleted api-1`, in order. */
  said(): string[];
}

export interface WatchedOptions {
  readonly api?: ApiServer;
  readonly times?: Partial<ListWatchTimes>;
  readonly pageSize?: number;
  readonly connect?: (connection: KubernetesConnection) => KubernetesConnection;
  readonly renew?: () => Promise<boolean>;
  readonly onObject?: (object: EventObject, change: Change) => Promise<void> | void;
}

export async function watch(t: Pick<TestContext, 'after'>, options: WatchedOptions = {}): Promise<Watched> {
  const { api = new ApiServer(), connect = (connection) => connection } = options;
  const connection = await api.open();
  const objects: EventObject[] = [];
  const said: string[] = [];
  const states: WatchState[] = [];
  const caughtUp: number[] = [];
  const abort = new AbortController();
  const listWatch = new ListWatch<EventObject>({
    path: EVENTS_PATH,
    pageSize: options.pageSize ?? 500,
    connection: () => connect(connection),
    renew: options.renew ?? (async () => false),
    turns: new Turns(2),
    signal: abort.signal,
    listener: {
      listing: () => {},
      object: (object, change) => {
        objects.push(object);
        said.push(`${change} ${object.metadata.uid}`);
        return options.onObject?.(object, change);
      },
      caughtUp: (at) => caughtUp.push(at),
      contact: () => {},
      state: (state) => states.push(state),
    },
    times: { ...FAST, ...options.times },
  });
  const done = listWatch.run();
  done.catch(() => {});
  t.after(async () => {
    abort.abort();
    await done.catch(() => {});
    await api.close();
  });
  return { api, connection, objects, states, caughtUp, abort, done, said: () => said };
}

export interface Running {
  readonly plugin: Plugin<KubernetesConfig>;
  readonly ctx: TestPluginContext;
  readonly api: ApiServer;
}

export interface Given {
  readonly api?: ApiServer;
  readonly config?: Partial<KubernetesConfig>;
  readonly connect?: (connection: KubernetesConnection) => KubernetesConnection;
}

/** With Events alone, where a test says nothing else. */
export async function startKubernetes(t: TestContext, given: Given = {}): Promise<Running> {
  const { api = new ApiServer(), config = {}, connect = (connection) => connection } = given;
  const plugin = await importPlugin<KubernetesConfig>('kubernetes');
  const ctx = new TestPluginContext('kubernetes');
  ctx.kubernetes = connect(await api.open());
  await plugin.initialize?.({ namespace: '', namespaces: [], sources: ['events'], debug: true, ...config }, ctx);
  await plugin.start(ctx);
  t.after(async () => {
    ctx.drain();
    ctx.releaseAcks();
    await plugin.stop?.();
    await api.close();
  });
  return { plugin, ctx, api };
}
