/** The host as the HTTP room and the metrics see it: snapshots read at once from what the rooms hold, without asking any plugin. */

import type { Clock } from '../../ipc/clock.ts';
import type { LoadedConfig } from '../config/loaded-config.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { Check, HookDetail, HookSnapshot, HostView } from '../http/view.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { FlightRecorder } from '../supervision/flight-recorder.ts';
import type { Plugins } from '../supervision/plugins.ts';
import type { Activity } from './activity.ts';
import { deadLetterView } from './dead-letter-snapshots.ts';
import type { EventSnapshots } from './event-snapshots.ts';
import { flightSnapshot } from './flight-snapshots.ts';
import { healthChecks, readinessChecks } from './health-checks.ts';
import { History } from './history.ts';
import { LiveStream } from './live-stream.ts';
import { pluginSnapshot } from './plugin-snapshots.ts';

export interface HostViewOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly plugins: Plugins;
  readonly flights: FlightRecorder;
  readonly ledger: Ledger;
  readonly snapshots: EventSnapshots;
  readonly dispatch: Pick<Dispatch, 'dedup' | 'deadLetters'>;
  readonly activity: Activity;
  readonly config: () => LoadedConfig;
  readonly brokenFiles: () => readonly string[];
  readonly isStopping: () => boolean;
  readonly outboxFault: () => string | null;
  readonly hooksProblem: () => string | null;
  readonly loops: () => Readonly<Record<string, number>>;
  readonly metrics: HostView['metrics'];
  readonly explainHook: (id: string, hooks: readonly HookSnapshot[]) => Promise<HookDetail | null>;
}

export function hostView(options: HostViewOptions): Omit<HostView, 'doctor'> & Disposable {
  const { plugins, flights, ledger, snapshots, clock } = options;
  const startedAt = time(clock.wall());
  const told = {
    version: options.version,
    plugins: () => plugins.all.map((supervisor) => pluginSnapshot(supervisor, options.activity)).sort(byName),
    flightRecords: (plugin: string | null) => flights.records(plugin).map(flightSnapshot),
  };
  const readyz = (): readonly Check[] =>
    readinessChecks({
      brokenFiles: options.brokenFiles(),
      isStopping: options.isStopping(),
      outboxFault: options.outboxFault(),
      hooksProblem: options.hooksProblem(),
      plugins: plugins.all.map(({ name, plan, state, staleness }) => ({ name, plan, state, staleness })),
    });
  const live = new LiveStream({ ledger, snapshots, supervision: plugins, view: told });
  const history = new History({ clock, plugins: told.plugins, ledger: () => ledger.counts });
  return {
    ...told,
    status() {
      const checks = readyz();
      const ready = checks.every(({ ok }) => ok);
      return { version: told.version, startedAt, now: time(clock.wall()), ready, checks };
    },
    history: () => history.snapshot,
    stream: (query, sink) => live.open(query, sink),
    events: (query) => snapshots.query(query),
    event: (id) => snapshots.find(id),
    hooks: () => hookSnapshots(options),
    hook: (id) => options.explainHook(id, hookSnapshots(options)),
    ...deadLetterView(options.dispatch.deadLetters),
    ledger: () => ledger.counts,
    metrics: options.metrics,
    healthz: () => healthChecks(options.loops()),
    readyz,
    [Symbol.dispose]: () => history[Symbol.dispose](),
  };
}

function hookSnapshots({ config, activity, dispatch }: HostViewOptions): HookSnapshot[] {
  const problems = activity.hookProblems;
  return config().hooks.map((hook) => {
    const id = `${hook.namespace}/${hook.name}`;
    const problem = problems.get(id);
    const lastFired = activity.lastFired(id);
    return {
      namespace: hook.namespace,
      name: hook.name,
      ready: problem === undefined,
      reason: problem ?? '',
      eventTypes: hook.eventConfigurations.map(({ eventType }) => eventType),
      suspend: hook.suspend,
      lastFired: lastFired === null ? null : new Date(lastFired).toISOString(),
      activeEvents: dispatch.dedup.activeEvents(id).length,
    };
  });
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
