/** The registry of all metrics: counters fed by the rooms' events, snapshots read at the scrape, and what plugins count themselves. */

import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '../../ipc/clock.ts';
import { Emitter } from '../base/emitter.ts';
import { countEvents } from './event-metrics.ts';
import { METRICS } from './metric-catalogue.ts';
import { MetricTable } from './metric-table.ts';
import { PluginMetrics } from './plugin-metrics.ts';
import type { Rooms } from './rooms.ts';
import { type MetricSources, readSources } from './snapshot-metrics.ts';
import type { TelemetryEvents } from './telemetry-events.ts';
import { WeightedHistogram } from './weighted-histogram.ts';

export interface MetricsOptions {
  readonly rooms: Rooms;
  readonly sources: MetricSources;
  readonly clock: Clock;
  /** process_* and nodejs_* of the host. Their observers last as long as the process: once per process. Default true. */
  readonly hostMetrics?: boolean;
}

export interface Scrape {
  readonly contentType: string;
  /** Prometheus text format. */
  readonly body: string;
}

export interface Metrics extends Disposable {
  readonly events: Emitter<TelemetryEvents>;
  /** Simultaneous scrapes share one answer. Never waits for a plugin. */
  scrape(): Promise<Scrape>;
}

/** Seconds: from a frame alone on an idle host to a frame behind a full queue. */
const PROCESSING_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Seconds: agents think. */
const CALL_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Gauges with the name of a counter. The same without `_total`, by `type`, adds up to each. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function createMetrics(options: MetricsOptions): Metrics {
  const { rooms, sources, clock } = options;
  const registry = new Registry();
  const events = new Emitter<TelemetryEvents>();
  const table = new MetricTable(registry);
  const processing = histogram(registry, 'khook_plugin_event_processing_duration_seconds', PROCESSING_BUCKETS);
  const calls = histogram(registry, 'khook_api_call_duration_seconds', CALL_BUCKETS);
  const custom = new PluginMetrics(registry, events);
  if (options.hostMetrics ?? true) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }

  const stack = new DisposableStack();
  for (const unsubscribe of [
    ...countEvents({ rooms, telemetry: events, clock, table, processing, calls }),
    rooms.supervision.on('plugin:metric', ({ plugin, record }) => custom.record(plugin, record)),
    // Another version of a bundle may define its metrics anew.
    rooms.supervision.on('plugin:registered', ({ plugin }) => custom.forget(plugin)),
    rooms.supervision.on('plugin:removed', ({ plugin }) => custom.forget(plugin)),
  ]) {
    stack.defer(unsubscribe);
  }

  let running: Promise<Scrape> | null = null;
  const scrape = async (): Promise<Scrape> => {
    try {
      readSources(sources, table);
      return { contentType: registry.contentType, body: await registry.metrics() };
    } finally {
      running = null;
    }
  };
  return {
    events,
    scrape: () => {
      running ??= scrape();
      return running;
    },
    [Symbol.dispose]: () => stack.dispose(),
  };
}

function histogram(
  registry: Registry,
  name: Extract<(typeof METRICS)[number], { type: 'histogram' }>['name'],
  buckets: readonly number[],
): WeightedHistogram {
  const entry = METRICS.find((metric) => metric.name === name);
  return new WeightedHistogram({ name, help: entry?.help ?? '', label: entry?.labels[0] ?? '', buckets, registry });
}
