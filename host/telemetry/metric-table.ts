/** The counters and gauges of the catalogue, with the one thing prom-client cannot do: forget all series of one plugin. */

import { Counter, Gauge, type Registry } from 'prom-client';
import { type CounterName, type GaugeName, type LabelsOf, METRICS } from './metric-catalogue.ts';

interface Removable {
  remove(labels: Record<string, string | number>): void;
}

/** Series with a `plugin` label kept for one plugin; a bug that varies a label without end stops growing here. */
const SERIES_PER_PLUGIN = 2_000;

export class MetricTable {
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  /** plugin → key of the series → how to remove it. */
  readonly #ofPlugin = new Map<string, Map<string, () => void>>();

  constructor(registry: Registry) {
    for (const { name, type, help, labels } of METRICS) {
      const options = { name, help, labelNames: [...labels], registers: [registry] };
      if (type === 'counter') this.#counters.set(name, new Counter(options));
      else if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
    }
  }

  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, count = 1): void {
    const counter = this.#counters.get(name);
    if (counter === undefined || !this.#remember(name, labels, counter)) return;
    counter.inc(labels as Record<string, string>, count);
  }

  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    const gauge = this.#gauges.get(name);
    if (gauge === undefined || !this.#remember(name, labels, gauge)) return;
    gauge.set(labels as Record<string, string>, value);
  }

  /** Replaces all series of a gauge, or of a counter whose total is kept elsewhere. */
  replace<Name extends GaugeName | CounterName>(
    name: Name,
    series: Iterable<{ readonly labels: LabelsOf<Name>; readonly value: number }>,
  ): void {
    const gauge = this.#gauges.get(name);
    const counter = this.#counters.get(name);
    (gauge ?? counter)?.reset();
    for (const { labels, value } of series) {
      if (!Number.isFinite(value)) continue;
      gauge?.set(labels as Record<string, string>, value);
      counter?.inc(labels as Record<string, string>, Math.max(0, value));
    }
  }

  forget(plugin: string): void {
    for (const remove of this.#ofPlugin.get(plugin)?.values() ?? []) remove();
    this.#ofPlugin.delete(plugin);
  }

  /** False when the plugin has too many series already. */
  #remember(name: string, labels: Readonly<Record<string, string>>, metric: Removable): boolean {
    const plugin = labels.plugin;
    if (plugin === undefined) return true;
    let series = this.#ofPlugin.get(plugin);
    if (series === undefined) {
      series = new Map();
      this.#ofPlugin.set(plugin, series);
    }
    const key = seriesKey(name, labels);
    if (series.has(key)) return true;
    if (series.size >= SERIES_PER_PLUGIN) return false;
    const copy = { ...labels };
    series.set(key, () => metric.remove(copy));
    return true;
  }
}

function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  let key = name;
  for (const label of Object.keys(labels)) key += `\n${labels[label]}`;
  return key;
}
