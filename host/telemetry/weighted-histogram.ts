/**
 * A histogram that takes `weight` equal observations in one step. A frame holds up to 256 events of one duration; observing each by
 * itself would cost the host's thread more than everything else it does for them.
 */

import type { Metric, Registry } from 'prom-client';

export interface WeightedHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** The one label. */
  readonly label: string;
  /** Upper bounds in seconds, growing. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

interface Series {
  /** Observations per bucket, not cumulative; the last is beyond every bound. */
  readonly counts: number[];
  sum: number;
}

interface Sample {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
}

export class WeightedHistogram {
  readonly #options: WeightedHistogramOptions;
  readonly #series = new Map<string, Series>();

  constructor(options: WeightedHistogramOptions) {
    this.#options = options;
    const { name, help } = options;
    const metric = { name, get: async () => ({ name, help, type: 'histogram', values: this.#samples() }) };
    // The registry asks a metric for its name and for `get()`, and nothing else: https://github.com/siimon/prom-client/blob/v15.1.3/lib/registry.js
    options.registry.registerMetric(metric as unknown as Metric);
  }

  observe(label: string, seconds: number, weight = 1): void {
    let series = this.#series.get(label);
    if (series === undefined) {
      series = { counts: new Array<number>(this.#options.buckets.length + 1).fill(0), sum: 0 };
      this.#series.set(label, series);
    }
    let bucket = 0;
    while (bucket < this.#options.buckets.length && seconds > (this.#options.buckets[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + weight;
    series.sum += seconds * weight;
  }

  remove(label: string): void {
    this.#series.delete(label);
  }

  #samples(): Sample[] {
    const { name, label, buckets } = this.#options;
    const samples: Sample[] = [];
    for (const [value, { counts, sum }] of this.#series) {
      let total = 0;
      for (const [i, count] of counts.entries()) {
        total += count;
        const le = buckets[i] ?? '+Inf';
        samples.push({ metricName: `${name}_bucket`, labels: { le, [label]: value }, value: total });
      }
      samples.push({ metricName: `${name}_sum`, labels: { [label]: value }, value: sum });
      samples.push({ metricName: `${name}_count`, labels: { [label]: value }, value: total });
    }
    return samples;
  }
}
