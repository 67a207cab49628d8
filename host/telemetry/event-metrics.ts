/** Counts what the rooms say. Runs on the host's thread at each frame: no allocation beyond the labels. */

import type { Clock } from '../../ipc/clock.ts';
import type { Subscribable } from '../base/emitter.ts';
import { BoundedNames, PluginNames } from './metric-labels.ts';
import type { MetricTable } from './metric-table.ts';
import type { Rooms } from './rooms.ts';
import type { TelemetryEvents } from './telemetry-events.ts';
import type { WeightedHistogram } from './weighted-histogram.ts';

export interface EventMetricsOptions {
  readonly rooms: Rooms;
  readonly telemetry: Subscribable<TelemetryEvents>;
  readonly clock: Clock;
  readonly table: MetricTable;
  /** khook_plugin_event_processing_duration_seconds */
  readonly processing: WeightedHistogram;
  /** khook_api_call_duration_seconds */
  readonly calls: WeightedHistogram;
}

/** What `error_type` may say besides the reasons for which a run ends. */
export const ERROR_TYPES = [
  'invalid_event',
  'poisonous_event',
  'refused_event',
  'refused_metric',
  'health_check',
  'matcher',
] as const;
type ErrorType = (typeof ERROR_TYPES)[number];

/** What `reason` may say of a dead letter that is none any more. */
export const DEAD_LETTER_REMOVALS = ['retried', 'dropped', 'size', 'age'] as const;
type DeadLetterRemoval = (typeof DEAD_LETTER_REMOVALS)[number];

/** Agents named by Hooks; more than this share the label `other`. */
const AGENTS = 200;

export function countEvents(options: EventMetricsOptions): (() => void)[] {
  const names = new PluginNames();
  return [
    ...countPlugins(options, names),
    ...countFrames(options, names),
    ...countErrors(options, names),
    ...countCalls(options),
    ...countDeadLetters(options),
    ...countCluster(options),
    options.rooms.ledger.on('events:settled', ({ plugin, outcome, count }) =>
      options.table.add('khook_event_outcomes_total', { plugin: names.label(plugin), outcome }, count),
    ),
    ...(['config:loaded', 'config:reloaded'] as const).map((name) =>
      options.rooms.config.on(name, ({ hash }) =>
        options.table.replace('khook_config_info', [{ labels: { hash }, value: 1 }]),
      ),
    ),
  ];
}

function countPlugins({ rooms, table, processing }: EventMetricsOptions, names: PluginNames): (() => void)[] {
  /** Plugins whose last run was asked to stop: their next start, if there is one, is a restart too. */
  const stopped = new Set<string>();
  const { supervision } = rooms;
  const restarted = (plugin: string, reason: string): void =>
    table.add('khook_plugin_restarts_total', { plugin: names.label(plugin), reason });
  return [
    supervision.on('plugin:registered', ({ plugin }) => names.register(plugin)),
    supervision.on('plugin:removed', ({ plugin }) => {
      names.remove(plugin);
      stopped.delete(plugin);
      table.forget(plugin);
      processing.remove(plugin);
    }),
    supervision.on('plugin:starting', ({ plugin }) => {
      if (stopped.delete(plugin)) restarted(plugin, 'stopped');
    }),
    supervision.on('plugin:stopped', ({ plugin }) => stopped.add(plugin)),
    supervision.on('plugin:crashed', ({ plugin, exit, nextStartMs }) => {
      if (nextStartMs !== null) restarted(plugin, exit.reason);
      table.add('khook_plugin_errors_total', { plugin: names.label(plugin), error_type: exit.reason });
    }),
    supervision.on('plugin:logs-dropped', ({ plugin, count }) =>
      table.add('khook_plugin_log_lines_dropped_total', { plugin: names.label(plugin) }, count),
    ),
  ];
}

function countFrames({ rooms, clock, table, processing }: EventMetricsOptions, names: PluginNames): (() => void)[] {
  const { bus } = rooms;
  return [
    bus.on('frame:received', (frame) => {
      const plugin = names.label(frame.plugin);
      let events = 0;
      for (const [type, count] of frame.types) {
        events += count;
        table.add('khook_plugin_events_total', { plugin, event_type: names.eventType(plugin, type) }, count);
      }
      table.add('khook_events_total', {}, events);
      table.set('khook_plugin_last_event_timestamp_seconds', { plugin }, clock.wall() / 1000);
    }),
    bus.on('frame:throttled', ({ plugin, events }) =>
      table.add('khook_bus_throttled_total', { plugin: names.label(plugin) }, events),
    ),
    bus.on('frame:dropped', ({ plugin, events, reason }) =>
      table.add('khook_bus_dropped_total', { plugin: names.label(plugin), reason }, events),
    ),
    bus.on('frame:done', ({ plugin, events, durationMs }) =>
      processing.observe(names.label(plugin), durationMs / 1000, events),
    ),
  ];
}

function countErrors({ rooms, telemetry, table }: EventMetricsOptions, names: PluginNames): (() => void)[] {
  const add = (plugin: string, type: ErrorType, count = 1): void =>
    table.add('khook_plugin_errors_total', { plugin: names.label(plugin), error_type: type }, count);
  return [
    rooms.match.on('event:invalid', ({ source }) => add(source, 'invalid_event')),
    rooms.match.on('event:poisonous', ({ source }) => add(source, 'poisonous_event')),
    rooms.bus.on('frame:failed', ({ plugin, events }) => add(plugin, 'matcher', events)),
    rooms.supervision.on('plugin:event-refused', ({ plugin }) => add(plugin, 'refused_event')),
    rooms.supervision.on('plugin:unhealthy', ({ plugin }) => add(plugin, 'health_check')),
    telemetry.on('metric:refused', ({ plugin, reason }) => {
      add(plugin, 'refused_metric');
      table.add('khook_plugin_metrics_refused_total', { plugin: names.label(plugin), reason });
    }),
  ];
}

function countDeadLetters({ rooms, table }: EventMetricsOptions): (() => void)[] {
  const removed = (reason: DeadLetterRemoval, count = 1): void =>
    table.add('khook_dead_letters_removed_total', { reason }, count);
  return [
    rooms.dispatch.on('firing:redriven', () => removed('retried')),
    rooms.dispatch.on('dead-letter:dropped', () => removed('dropped')),
    rooms.dispatch.on('dead-letters:forgotten', ({ count, why }) => removed(why, count)),
  ];
}

function countCluster({ rooms: { cluster }, table }: EventMetricsOptions): (() => void)[] {
  const record = (reason: string, outcome: 'written' | 'error' | 'dropped', count = 1): void =>
    table.add('khook_hook_records_total', { reason, outcome }, count);
  return [
    cluster.on('request:done', (labels) => table.add('khook_cluster_requests_total', labels)),
    cluster.on('status:written', () => table.add('khook_hook_status_writes_total', { outcome: 'written' })),
    cluster.on('status:error', () => table.add('khook_hook_status_writes_total', { outcome: 'error' })),
    cluster.on('record:written', ({ reason }) => record(reason, 'written')),
    cluster.on('record:error', ({ reason }) => record(reason, 'error')),
    cluster.on('record:dropped', ({ reason, count }) => record(reason, 'dropped', count)),
  ];
}

function countCalls({ rooms, table, calls }: EventMetricsOptions): (() => void)[] {
  const agents = new BoundedNames(AGENTS);
  const { dispatch } = rooms;
  const call = (name: string, outcome: 'accepted' | 'error', durationMs: number): void => {
    const agent = agents.admit(name);
    table.add('khook_api_calls_total', { agent, outcome });
    calls.observe(agent, durationMs / 1000);
  };
  return [
    dispatch.on('call:accepted', ({ agent, durationMs }) => call(agent, 'accepted', durationMs)),
    dispatch.on('call:error', ({ agent, durationMs }) => call(agent, 'error', durationMs)),
    dispatch.on('circuit:opened', ({ agent }) =>
      table.set('khook_api_circuit_open', { agent: agents.admit(agent) }, 1),
    ),
    dispatch.on('circuit:closed', ({ agent }) =>
      table.set('khook_api_circuit_open', { agent: agents.admit(agent) }, 0),
    ),
  ];
}
