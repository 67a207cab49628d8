/** Event objects, and a list-watch against a test's own API server. */

import type { TestContext } from 'node:test';
import type { KubernetesConnection } from '../../../ipc/plugin-api.ts';
import type { EventObject } from '../../../plugins/kubernetes/event-object.ts';
import { type Change, ListWatch } from '../../../plugins/kubernetes/list-watch.ts';
import type { ListWatchTimes, WatchState } from '../../../plugins/kubernetes/list-watch-options.ts';
import { ApiServer, type StoredObject } from '../../support/api-server.ts';

export const FAST: ListWatchTimes = {
  watchSeconds: 90,
  silenceMs: 5_000,
  answerMs: 5_000,
  backoffBaseMs: 1,
  backoffCapMs: 4,
  stableMs: 5_000,
};

export const EVENTS_PATH = '/apis/events.k8s.io/v1/events';

/** A Warning BackOff about pod `api` that happened now, seen three times. */
export function eventObject(
  uid: string,
  fields: Partial<Omit<EventObject, 'metadata'>> = {},
): StoredObject & EventObject {
  const now = new Date().toISOString();
  return {
    metadata: { uid, name: `api.${uid}`, namespace: 'shop', resourceVersion: '1', creationTimestamp: now },
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

export interface Watched {
  readonly api: ApiServer;
  readonly connection: KubernetesConnection;
  readonly changes: Change<EventObject>[];
  readonly states: WatchState[];
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** `added api-1`, `modified api-1`, `deleted api-1`, in order. */
  said(): string[];
}

export interface WatchedOptions {
  readonly api?: ApiServer;
  readonly times?: Partial<ListWatchTimes>;
  readonly connect?: (connection: KubernetesConnection) => KubernetesConnection | null;
  readonly remembers?: (object: EventObject) => boolean;
  readonly onChange?: (change: Change<EventObject>) => Promise<void> | void;
}

export async function watch(t: Pick<TestContext, 'after'>, options: WatchedOptions = {}): Promise<Watched> {
  const { api = new ApiServer(), connect = (connection) => connection } = options;
  const connection = await api.open();
  const changes: Change<EventObject>[] = [];
  const states: WatchState[] = [];
  const abort = new AbortController();
  const listWatch = new ListWatch<EventObject>({
    path: EVENTS_PATH,
    connection: () => connect(connection),
    signal: abort.signal,
    remembers: options.remembers ?? (() => true),
    onChange: (change) => {
      changes.push(change);
      return options.onChange?.(change);
    },
    onState: (state) => states.push(state),
    times: { ...FAST, ...options.times },
  });
  const done = listWatch.run();
  done.catch(() => {});
  t.after(async () => {
    abort.abort();
    await done.catch(() => {});
    await api.close();
  });
  const said = (): string[] =>
    changes.map((change) => `${change.kind} ${change.kind === 'deleted' ? change.uid : change.object.metadata.uid}`);
  return { api, connection, changes, states, abort, done, said };
}
