/** Values that are read, not counted: taken synchronously when someone scrapes. A scrape never waits for a plugin. */

import type { MetricTable } from './metric-table.ts';

export interface PluginReading {
  readonly plugin: string;
  readonly version: string;
  readonly isolation: 'thread' | 'process';
  /** It is running. */
  readonly isActive: boolean;
  /** What it listens to cannot be reached, by its own word. */
  readonly isStale: boolean;
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** null while it is not meant to run: its limit is not known then. */
  readonly memoryLimitBytes: number | null;
  /** Of the present run. */
  readonly cpuSeconds: number;
  /** 0 to 1. */
  readonly eventLoopUtilization: number;
  /** Events that wait in the host. */
  readonly queueEvents: number;
}

export interface OutboxReading {
  /** Undelivered ones that stand in it. */
  readonly firings: number;
  readonly hasFault: boolean;
  /** Sources wait for room in it. */
  readonly isFull: boolean;
  readonly deadLetters: number;
}

export interface HooksReading {
  readonly isSynced: boolean;
  /** Unix milliseconds. */
  readonly lastContactAt: number;
  /** What RBAC does not allow. */
  readonly refused: readonly { readonly verb: string; readonly resource: string }[];
}

/** Functions that answer at once from what the host knows. */
export interface MetricSources {
  plugins(): readonly PluginReading[];
  ledger(): { readonly residual: number; readonly inFlight: number };
  /** Firings inside their dedup window. */
  activeEvents(): number;
  outbox(): OutboxReading;
  isLeader(): boolean;
  /** Those of a folder are always read, and just now. */
  hooks(): HooksReading;
  /** Lines that the log lost. */
  logLinesLost(): number;
  /** Threads of plugins that were told to end and did not. */
  zombieThreads(): number;
}

export function readSources(sources: MetricSources, table: MetricTable): void {
  reading(table, 'plugins', () => readPlugins(sources.plugins(), table));
  reading(table, 'ledger', () => {
    const { residual, inFlight } = sources.ledger();
    table.replace('khook_ledger_residual', [{ labels: {}, value: residual }]);
    table.replace('khook_events_in_flight', [{ labels: {}, value: inFlight }]);
  });
  reading(table, 'dedup', () => table.replace('khook_active_events', [{ labels: {}, value: sources.activeEvents() }]));
  reading(table, 'outbox', () => {
    const { firings, hasFault, isFull, deadLetters } = sources.outbox();
    table.set('khook_outbox_firings', {}, firings);
    table.set('khook_outbox_fault', {}, hasFault ? 1 : 0);
    table.set('khook_outbox_full', {}, isFull ? 1 : 0);
    table.set('khook_dead_letters', {}, deadLetters);
  });
  reading(table, 'leader', () => table.set('khook_leader', {}, sources.isLeader() ? 1 : 0));
  reading(table, 'hooks', () => readHooks(sources.hooks(), table));
  reading(table, 'log', () =>
    table.replace('khook_log_lines_lost_total', [{ labels: {}, value: sources.logLinesLost() }]),
  );
  reading(table, 'zombies', () =>
    table.replace('khook_zombie_threads', [{ labels: {}, value: sources.zombieThreads() }]),
  );
}

/** One reading that throws must not cost the scrape: the others are needed most when something is broken. */
function reading(table: MetricTable, source: string, read: () => void): void {
  try {
    read();
  } catch {
    table.add('khook_scrape_errors_total', { source });
  }
}

function readHooks(hooks: HooksReading, table: MetricTable): void {
  table.set('khook_hooks_synced', {}, hooks.isSynced ? 1 : 0);
  table.set('khook_hooks_last_contact_timestamp_seconds', {}, hooks.lastContactAt / 1000);
  table.replace(
    'khook_cluster_refused',
    hooks.refused.map(({ verb, resource }) => ({ labels: { verb, resource }, value: 1 })),
  );
}

function readPlugins(readings: readonly PluginReading[], table: MetricTable): void {
  const values = (value: (reading: PluginReading) => number) =>
    readings.map((reading) => ({ labels: { plugin: reading.plugin }, value: value(reading) }));
  table.replace(
    'khook_plugin_active',
    values((reading) => (reading.isActive ? 1 : 0)),
  );
  table.replace(
    'khook_plugin_source_stale',
    values((reading) => (reading.isStale ? 1 : 0)),
  );
  table.replace(
    'khook_plugin_info',
    readings.map(({ plugin, version, isolation }) => ({ labels: { plugin, version, isolation }, value: 1 })),
  );
  table.replace(
    'khook_plugin_heap_bytes',
    values((reading) => reading.heapBytes),
  );
  table.replace(
    'khook_plugin_external_bytes',
    values((reading) => reading.externalBytes),
  );
  table.replace(
    'khook_plugin_memory_limit_bytes',
    readings.flatMap(({ plugin, memoryLimitBytes }) =>
      memoryLimitBytes === null ? [] : [{ labels: { plugin }, value: memoryLimitBytes }],
    ),
  );
  table.replace(
    'khook_plugin_cpu_seconds_total',
    values((reading) => reading.cpuSeconds),
  );
  table.replace(
    'khook_plugin_event_loop_utilization',
    values((reading) => reading.eventLoopUtilization),
  );
  table.replace(
    'khook_bus_queue_events',
    values((reading) => reading.queueEvents),
  );
}
