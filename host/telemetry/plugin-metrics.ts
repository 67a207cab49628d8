/**
 * What plugins count themselves: `khook_plugin_custom_<name>` with the label `plugin`. The host owns all series; a plugin only sends
 * records, and nothing in a record may break a scrape or grow without end. What is refused is counted and said.
 */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { MetricRecord } from '../../ipc/messages.ts';
import type { Emitter } from '../base/emitter.ts';
import { recordFault } from './custom-record.ts';
import { CUSTOM_PREFIX } from './metric-catalogue.ts';
import { labelText } from './metric-labels.ts';
import type { TelemetryEvents } from './telemetry-events.ts';

const SERIES_PER_PLUGIN = 100;
const METRICS_IN_ALL = 500;
const HELP_LIMIT = 256;

type Instrument =
  | { readonly type: 'counter'; readonly metric: Counter }
  | { readonly type: 'gauge'; readonly metric: Gauge }
  | { readonly type: 'histogram'; readonly metric: Histogram };

interface Custom {
  readonly instrument: Instrument;
  /** Sorted names of its labels without `plugin`. */
  readonly labelNames: string;
  series: number;
}

interface Series {
  readonly name: string;
  readonly labels: Record<string, string>;
}

export class PluginMetrics {
  readonly #registry: Registry;
  readonly #events: Emitter<TelemetryEvents>;
  readonly #metrics = new Map<string, Custom>();
  /** plugin → key of the series → the series. */
  readonly #series = new Map<string, Map<string, Series>>();

  constructor(registry: Registry, events: Emitter<TelemetryEvents>) {
    this.#registry = registry;
    this.#events = events;
  }

  record(plugin: string, record: MetricRecord): void {
    const fault = recordFault(record) ?? this.#admit(plugin, record);
    if (fault === null) return;
    const metric = typeof record?.name === 'string' ? labelText(record.name) : 'without a name';
    this.#events.emit('metric:refused', { plugin, metric, ...fault });
  }

  /** Its series go; a metric that no other plugin has goes too, so that another version may define it anew. */
  forget(plugin: string): void {
    for (const { name, labels } of this.#series.get(plugin)?.values() ?? []) {
      const custom = this.#metrics.get(name);
      if (custom === undefined) continue;
      custom.instrument.metric.remove(labels);
      custom.series -= 1;
      if (custom.series === 0) {
        this.#metrics.delete(name);
        this.#registry.removeSingleMetric(CUSTOM_PREFIX + name);
      }
    }
    this.#series.delete(plugin);
  }

  #admit(plugin: string, record: MetricRecord): { reason: string; detail: string } | null {
    const labels: Record<string, string> = { plugin };
    const names = Object.keys(record.labels).sort();
    for (const name of names) labels[name] = labelText(record.labels[name] ?? '');
    const custom = this.#metrics.get(record.name);
    if (custom !== undefined && custom.instrument.type !== record.type) {
      const detail = `it is a ${custom.instrument.type} already and cannot be a ${record.type}`;
      return { reason: 'type_clash', detail };
    }
    if (custom !== undefined && custom.labelNames !== names.join(',')) {
      const detail = `its labels are [${custom.labelNames}] and cannot be [${names.join(',')}]`;
      return { reason: 'label_clash', detail };
    }
    const own = this.#series.get(plugin) ?? new Map<string, Series>();
    const key = JSON.stringify([record.name, ...names.map((name) => labels[name])]);
    if (!own.has(key) && own.size >= SERIES_PER_PLUGIN) {
      return { reason: 'series_limit', detail: `a plugin may have ${SERIES_PER_PLUGIN} series of custom metrics` };
    }
    const target = custom ?? this.#define(record, names);
    if (target === null) {
      return { reason: 'name_clash', detail: 'its name is too close to that of another custom metric' };
    }
    if (!own.has(key)) {
      own.set(key, { name: record.name, labels });
      this.#series.set(plugin, own);
      target.series += 1;
    }
    observe(target.instrument, labels, record.value);
    return null;
  }

  /** Null when the new name and a histogram's `_bucket`, `_sum` or `_count` would be the same series. */
  #define(record: MetricRecord, names: readonly string[]): Custom | null {
    if (this.#metrics.size >= METRICS_IN_ALL) return null;
    for (const suffix of ['_bucket', '_sum', '_count']) {
      const stem = record.name.endsWith(suffix) ? record.name.slice(0, -suffix.length) : '';
      if (this.#metrics.get(stem)?.instrument.type === 'histogram') return null;
      if (record.type === 'histogram' && this.#metrics.has(record.name + suffix)) return null;
    }
    const custom = { instrument: this.#instrument(record, names), labelNames: names.join(','), series: 0 };
    this.#metrics.set(record.name, custom);
    return custom;
  }

  #instrument({ type, name, help }: MetricRecord, names: readonly string[]): Instrument {
    const options = {
      name: CUSTOM_PREFIX + name,
      help: help.slice(0, HELP_LIMIT).toWellFormed().replaceAll('\r', ' ') || `Custom metric ${name} of a plugin.`,
      labelNames: ['plugin', ...names],
      registers: [this.#registry],
    };
    switch (type) {
      case 'counter':
        return { type, metric: new Counter(options) };
      case 'gauge':
        return { type, metric: new Gauge(options) };
      case 'histogram':
        return { type, metric: new Histogram(options) };
    }
  }
}

function observe(instrument: Instrument, labels: Record<string, string>, value: number): void {
  switch (instrument.type) {
    case 'counter':
      instrument.metric.inc(labels, value);
      return;
    case 'gauge':
      instrument.metric.set(labels, value);
      return;
    case 'histogram':
      instrument.metric.observe(labels, value);
  }
}
