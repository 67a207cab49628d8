// Runs in the plugin's thread.
/** Metrics as deltas towards the host, which owns every series: merged for a moment, so that a hot counter costs one message. */

import type { Clock, Timer } from '../clock.ts';
import { textOf } from '../errors.ts';
import type { MetricRecord, ToHost } from '../messages.ts';
import type { MetricOptions, PluginMetrics } from '../plugin-api.ts';
import type { Port } from '../port.ts';

// Taken before a plugin, or a library in it, replaces it.
const { stringify } = JSON;
const LINGER_MS = 250;
const MAX_RECORDS = 1_000;
/** Longer text is cut here: to the host it would be a broken protocol. */
const NAME_LIMIT = 256;
const TEXT_LIMIT = 1_024;
/** More than the host takes, so that it can say so. */
const LABELS_SENT = 16;
/** What is left after merging: each one costs the host some microseconds, and its text as much again. */
const RECORDS_PER_SECOND = 10_000;
const UNITS_PER_SECOND = 1024 * 1024;

export interface MetricSenderOptions {
  readonly port: Port<ToHost, unknown>;
  readonly clock: Clock;
  readonly generation: number;
  /** Tells the operator. */
  readonly warn: (text: string) => void;
}

export class MetricSender implements PluginMetrics {
  readonly #options: MetricSenderOptions;
  #records = new Map<string, MetricRecord>();
  #timer: Timer | null = null;

  #window = { start: 0, records: 0, units: 0, dropped: 0 };

  constructor(options: MetricSenderOptions) {
    this.#options = options;
  }

  counter(options: MetricOptions): { inc(value?: number, labels?: Record<string, string>): void } {
    return {
      inc: (value = 1, labels = {}) => this.#record('counter', { ...options, labels, value }, (old) => old + value),
    };
  }

  gauge(options: MetricOptions): { set(value: number, labels?: Record<string, string>): void } {
    return { set: (value, labels = {}) => this.#record('gauge', { ...options, labels, value }, () => value) };
  }

  histogram(options: MetricOptions): { observe(value: number, labels?: Record<string, string>): void } {
    return { observe: (value, labels = {}) => this.#record('histogram', { ...options, labels, value }, null) };
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#records.size === 0) return;
    const records = [...this.#records.values()];
    this.#records = new Map();
    this.#options.port.post({ kind: 'metric', generation: this.#options.generation, records });
  }

  #record(
    type: MetricRecord['type'],
    given: Omit<MetricRecord, 'type'>,
    merge: ((old: number) => number) | null,
  ): void {
    if (typeof given.value !== 'number' || !Number.isFinite(given.value)) return;
    const name = textOf(given.name).slice(0, NAME_LIMIT);
    const help = textOf(given.help ?? '').slice(0, TEXT_LIMIT);
    const labels: Record<string, string> = {};
    for (const [key, value] of Object.entries(given.labels ?? {}).slice(0, LABELS_SENT))
      labels[key.slice(0, NAME_LIMIT)] = textOf(value).slice(0, TEXT_LIMIT);
    const key = merge === null ? `${this.#records.size}` : stringify([type, name, labels]);
    const old = this.#records.get(key);
    const value = old === undefined || merge === null ? given.value : merge(old.value);
    if (!Number.isFinite(value)) return;
    if (old === undefined && !this.#hasRoom(name.length + help.length + stringify(labels).length)) return;
    this.#records.set(key, { type, name, help, labels, value });
    if (this.#records.size >= MAX_RECORDS) this.flush();
    else this.#timer ??= this.#options.clock.after(LINGER_MS, () => this.flush());
  }

  #hasRoom(units: number): boolean {
    const now = this.#options.clock.now();
    if (now - this.#window.start >= 1000) {
      const { dropped } = this.#window;
      this.#window = { start: now, records: 0, units: 0, dropped: 0 };
      if (dropped > 0) this.#options.warn(`${dropped} metric records were dropped: too many or too long for a second`);
    }
    const window = this.#window;
    if (window.records >= RECORDS_PER_SECOND || window.units >= UNITS_PER_SECOND) {
      window.dropped += 1;
      return false;
    }
    window.records += 1;
    window.units += units;
    return true;
  }
}
