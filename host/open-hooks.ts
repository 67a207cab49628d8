/** Decides where Hooks come from, and opens that: a folder, or the cluster, which then also hears what becomes of them. */

import type { Clock } from '../ipc/clock.ts';
import type { AppOptions } from './app-options.ts';
import type { Emitter } from './base/emitter.ts';
import type { ConnectionSource } from './cluster/api-client.ts';
import { Cluster } from './cluster/cluster.ts';
import type { ClusterEvents } from './cluster/events.ts';
import type { Leadership } from './cluster/leadership.ts';
import { type HookSource, hooksFolder } from './config/hook-source.ts';
import type { Settings } from './config/settings.ts';
import { knownForMs } from './dispatch/dedup.ts';

export interface OpenHooksOptions {
  readonly app: AppOptions;
  readonly settings: Settings;
  readonly source: ConnectionSource;
  readonly leadership: Leadership;
  readonly events: Emitter<ClusterEvents>;
  readonly clock: Clock;
}

export interface OpenedHooks {
  readonly hooks: HookSource;
  /** null: Hooks come from a folder. */
  readonly cluster: Cluster | null;
}

export function openHooks({ app, settings, ...surroundings }: OpenHooksOptions): OpenedHooks {
  const { watchNamespaces, podName, podNamespace } = app.environment;
  if (app.hooksDirectory !== null) return { hooks: hooksFolder(app.hooksDirectory, podNamespace), cluster: null };
  const { windowMs } = settings.dedup;
  const cluster = new Cluster({
    ...surroundings,
    random: Math.random,
    namespaces: watchNamespaces,
    instance: podName ?? 'khook',
    windowMs,
    retentionMs: knownForMs(windowMs),
  });
  return { hooks: cluster.hooks, cluster };
}
