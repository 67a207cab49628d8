/** Gives the doctor a look into every room. */

import { join } from 'node:path';
import type { AppOptions } from './app-options.ts';
import type { Subscribable } from './base/emitter.ts';
import type { ConnectionSource } from './cluster/api-client.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { ClusterEvents } from './cluster/events.ts';
import type { Leadership } from './cluster/leadership.ts';
import type { ConfigInForce } from './config-in-force.ts';
import { AgentStandings } from './doctor/agent-standing.ts';
import type { BundleView } from './doctor/bundle.ts';
import { ClusterProbe } from './doctor/cluster-probe.ts';
import { Doctor } from './doctor/doctor.ts';
import { FilterAges } from './doctor/filter-ages.ts';
import { News } from './doctor/news.ts';
import type { Rooms } from './rooms.ts';
import type { Activity } from './snapshots/activity.ts';

export interface OpenDoctorOptions {
  readonly app: AppOptions;
  readonly rooms: Rooms;
  readonly view: BundleView;
  readonly activity: Activity;
  readonly config: ConfigInForce;
  readonly source: ConnectionSource;
  readonly leadership: Leadership;
  readonly events: Subscribable<ClusterEvents>;
  readonly cluster: Cluster | null;
  readonly logLinesLost: () => number;
}

/** Before plugins start and firings go out: it keeps what is said of them. */
export function openDoctor({ app, rooms, source, events, config, ...options }: OpenDoctorOptions): Doctor {
  const { clock, dispatch, plugins, bus } = rooms;
  const { podName, podNamespace, leaderElection, watchNamespaces } = app.environment;
  const namespace = podNamespace ?? source.connection?.namespace ?? 'default';
  const probe = new ClusterProbe({
    source,
    clock,
    namespace,
    hasHooks: options.cluster !== null,
    hasElection: leaderElection,
    namespaces: watchNamespaces,
    pod: podName === null ? null : { name: podName, namespace },
    configDirectory: app.configDirectory,
  });
  return new Doctor({
    ...rooms,
    ...options,
    version: app.version,
    probe,
    connectionProblem: () => source.problem,
    news: new News({ clock, supervision: plugins, bus, dispatch: dispatch.events, cluster: events }),
    agents: new AgentStandings({ dispatch: dispatch.events, wall: clock.wall }),
    filters: new FilterAges({ matcher: rooms.matcher, wall: clock.wall }),
    config: () => config,
    watchNamespaces,
    dataDirectory: app.dataDirectory,
    hooksDirectory: app.hooksDirectory,
    isInPod: podName !== null,
    restart: () => app.restart?.() ?? null,
    wantedFiles: [
      join(app.configDirectory, 'plugins.yaml'),
      ...(app.hooksDirectory === null ? [] : [app.hooksDirectory]),
    ],
  });
}
