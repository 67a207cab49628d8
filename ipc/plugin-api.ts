/** `khook/plugin`: the public API of a plugin bundle. The host supplies it at run time; nothing needs to be installed. */

import type { KubernetesConnection } from './control.ts';
import { CodedError } from './errors.ts';
import type { PluginEvent, Receipt } from './event.ts';

export type { KubernetesConnection } from './control.ts';
export type { PluginEvent, Receipt } from './event.ts';

/** Throw it from `initialize` when the configuration is wrong in a way a schema cannot say. Final until the configuration changes. */
export class ConfigError extends CodedError {
  constructor(message: string) {
    super('PLUGIN_ERR_CONFIG', message, { kind: 'user' });
    this.name = 'ConfigError';
  }
}

export interface PluginLog {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface MetricOptions {
  /** `[a-z][a-z0-9_]*`; shown as `khook_plugin_custom_<name>`. */
  name: string;
  help: string;
}

export interface PluginMetrics {
  counter(options: MetricOptions): { inc(value?: number, labels?: Record<string, string>): void };
  gauge(options: MetricOptions): { set(value: number, labels?: Record<string, string>): void };
  histogram(options: MetricOptions): { observe(value: number, labels?: Record<string, string>): void };
}

/** A verdict of `healthCheck`: the plugin is well, but what it listens to cannot be reached. Recycling it would not help. */
export interface Stale {
  /** Why, and since when: `no contact with https://… for 140 s: connection refused`. Not empty. */
  readonly stale: string;
}

export interface PluginContext {
  /** The plugin's name, which is also the source of its events. */
  readonly name: string;
  /** `debug: true` in the plugin's configuration, or LOG_LEVEL=debug. */
  readonly debug: boolean;
  /** Aborts when the plugin is asked to stop. */
  readonly signal: AbortSignal;
  readonly log: PluginLog;
  readonly metrics: PluginMetrics;
  /** The connection of the `kubernetes` permission; the current one at each read. */
  readonly kubernetes: KubernetesConnection | null;
  /** Asks the host to read the credentials anew, for when a server refuses them; resolves when `kubernetes` is as fresh as can be. */
  renewKubernetes(): Promise<void>;
  /**
   * Waits for credit, sends the event, and resolves once it is accepted: it has its verdict, and every firing of it is in
   * dispatch's hands. Rejects with a coded error when it is refused.
   */
  emit(event: PluginEvent): Promise<Receipt>;
  /** Like `emit`, but null at once when there is no credit now: nothing was taken. */
  tryEmit(event: PluginEvent): Promise<Receipt> | null;
  /** Emits in order; resolves when all are accepted, rejects with the first refusal after all have been answered. */
  emitMany(events: Iterable<PluginEvent>): Promise<Receipt[]>;
}

export interface Plugin<Config = Record<string, unknown>> {
  /** Prepare, and check what a schema cannot. A ConfigError is final; any other throw is a failed start, and retried. */
  initialize?(config: Config, ctx: PluginContext): Promise<void> | void;
  /** Ready means: resolved. Long-lived work goes on after it. */
  start(ctx: PluginContext): Promise<void> | void;
  /** Within the grace period, else the thread is terminated. */
  stop?(): Promise<void> | void;
  /**
   * Called every `healthCheckInterval`; false or a throw counts as unhealthy, and three in a row end the run. `{ stale }` does not:
   * it is logged, counted, and a required plugin is not ready.
   */
  healthCheck?(): Promise<boolean | Stale> | boolean | Stale;
}

/** Marks an object as a plugin and gives its methods their types. */
export function definePlugin<Config = Record<string, unknown>>(plugin: Plugin<Config>): Plugin<Config> {
  return plugin;
}
