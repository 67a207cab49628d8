/** The Hooks of the cluster as they are at this moment, for whoever reads them once. */

import type { Clock } from '../../ipc/clock.ts';
import type { HookSource } from '../config/hook-source.ts';
import { ApiClient, type ConnectionSource } from './api-client.ts';
import { clusterHooks } from './cluster-hooks.ts';
import { hookTarget } from './hook-informer.ts';
import { type HookObject, HookStore } from './hook-store.ts';

export interface HooksOnceOptions {
  readonly source: ConnectionSource;
  readonly clock: Clock;
  /** Empty: all. */
  readonly namespaces: readonly string[];
}

/** Rejects with an ApiError. */
export async function readHooksOnce({ source, clock, namespaces }: HooksOnceOptions): Promise<HookSource> {
  using client = new ApiClient({ source, clock });
  const store = new HookStore();
  for (const namespace of namespaces.length === 0 ? [''] : namespaces) {
    const list = await client.json<{ items?: readonly HookObject[] }>({ verb: 'list', target: hookTarget(namespace) });
    for (const object of list.items ?? []) store.put(object);
  }
  return clusterHooks({ store, isSynced: true, onChange: () => () => undefined }, namespaces);
}
