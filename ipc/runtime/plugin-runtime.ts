// Runs in the plugin's thread.
/** One plugin inside its thread: imports the bundle, owns its context, and carries out what the host asks over the control wire. */

import type { Clock, Timer } from '../clock.ts';
import type { Birth, KubernetesConnection, PluginControl } from '../control.ts';
import { CodedError } from '../errors.ts';
import type { ToHost, ToPlugin } from '../messages.ts';
import type { Plugin, PluginContext } from '../plugin-api.ts';
import type { Port } from '../port.ts';
import { EventSender } from './event-sender.ts';
import { loadError } from './load-error.ts';
import { LogSender } from './log-sender.ts';
import { MetricSender } from './metric-sender.ts';

/** What loading and starting left behind is more than an idle plugin holds; it goes back to the system when that is done for good. */
const TIDY_AFTER_MS = 1_000;
const STALE_LIMIT = 1_024;
/** Of what an entry exports, in the message that it is no plugin. */
const MAX_NAMES = 5;
/** How long an answer of the host is waited for: it may have to run a log-in command. */
const RENEW_MS = 10_000;

export interface PluginRuntimeOptions {
  readonly birth: Birth;
  readonly port: Port<ToHost, ToPlugin>;
  readonly clock: Clock;
  /** Imports the bundle's entry. */
  readonly load: (url: string) => Promise<unknown>;
  /** Gives memory back to the system; called once, a while after the start. */
  readonly tidy: () => void;
}

export class PluginRuntime implements PluginControl {
  readonly #options: PluginRuntimeOptions;
  readonly #abort = new AbortController();
  readonly #sender: EventSender;
  readonly #metrics: MetricSender;
  readonly log: LogSender;
  readonly #context: PluginContext;
  #connection: KubernetesConnection | null;
  /** Those who wait for the host to have read the credentials anew. */
  #renewals: (() => void)[] = [];
  #renewal: Timer | null = null;
  #isLoaded = false;
  #plugin: Plugin | null = null;
  #tidying: Timer | null = null;

  constructor(options: PluginRuntimeOptions) {
    this.#options = options;
    const { birth, port, clock } = options;
    const wire = { port, clock, generation: birth.generation };
    this.#connection = birth.connection;
    this.#sender = new EventSender({ ...wire, plugin: birth.plugin, idPrefix: birth.idPrefix });
    this.#metrics = new MetricSender({ ...wire, warn: (text) => this.log.write('warn', text) });
    this.log = new LogSender({ ...wire, debug: birth.debug, linesPerSecond: birth.budget.logLinesPerSecond });
    this.#context = this.#makeContext();
  }

  async initialize(): Promise<void> {
    const { birth, load } = this.#options;
    let loaded: unknown;
    try {
      loaded = await load(birth.entry);
    } catch (error) {
      throw loadError(error, birth.entry);
    }
    this.#isLoaded = true;
    const plugin = pluginOf(loaded);
    this.#plugin = plugin;
    await plugin.initialize?.(structuredClone(birth.config) as Record<string, unknown>, this.#context);
  }

  async isLoaded(): Promise<boolean> {
    return this.#isLoaded;
  }

  async start(): Promise<void> {
    await this.#plugin?.start(this.#context);
    this.#tidying = this.#options.clock.after(TIDY_AFTER_MS, this.#options.tidy);
  }

  async drain(): Promise<void> {
    this.#abort.abort(new CodedError('EVENT_ERR_STOPPING', `plugin ${this.#options.birth.plugin} is stopping`));
    this.#renewed();
    await this.#sender.drain();
  }

  async stop(): Promise<void> {
    this.#abort.abort(new CodedError('EVENT_ERR_STOPPING', `plugin ${this.#options.birth.plugin} is stopping`));
    this.#tidying?.cancel();
    try {
      await this.#plugin?.stop?.();
    } finally {
      this.flush();
    }
  }

  async healthCheck(): Promise<boolean | string | null> {
    const check = this.#plugin?.healthCheck;
    if (check === undefined) return null;
    const verdict: unknown = await check.call(this.#plugin);
    return staleness(verdict) ?? verdict === true;
  }

  async reconnect(connection: KubernetesConnection): Promise<void> {
    this.#connection = connection;
    this.#renewed();
  }

  async setDebug(enabled: boolean): Promise<void> {
    this.log.debug = enabled;
  }

  /** Sends what was gathered: called before the thread ends. */
  flush(): void {
    this.log.flush();
    this.#metrics.flush();
  }

  /** One question at a time, however many ask. */
  #renew(): Promise<void> {
    const { port, birth, clock } = this.#options;
    if (this.#connection === null) return Promise.resolve();
    if (this.#renewals.length === 0) {
      port.post({ kind: 'renew', generation: birth.generation });
      this.#renewal = clock.after(RENEW_MS, () => this.#renewed());
    }
    return new Promise((resolve) => this.#renewals.push(resolve));
  }

  #renewed(): void {
    this.#renewal?.cancel();
    for (const resolve of this.#renewals.splice(0)) resolve();
  }

  #makeContext(): PluginContext {
    const { birth } = this.#options;
    const log = this.log;
    const metrics = this.#metrics;
    const sender = this.#sender;
    const connection = (): KubernetesConnection | null => this.#connection;
    return Object.freeze({
      name: birth.plugin,
      get debug(): boolean {
        return log.debug;
      },
      signal: this.#abort.signal,
      log: Object.freeze({
        debug: (message: string, fields?: Record<string, unknown>) => log.write('debug', message, fields),
        info: (message: string, fields?: Record<string, unknown>) => log.write('info', message, fields),
        warn: (message: string, fields?: Record<string, unknown>) => log.write('warn', message, fields),
        error: (message: string, fields?: Record<string, unknown>) => log.write('error', message, fields),
      }),
      metrics: Object.freeze({
        counter: metrics.counter.bind(metrics),
        gauge: metrics.gauge.bind(metrics),
        histogram: metrics.histogram.bind(metrics),
      }),
      get kubernetes(): KubernetesConnection | null {
        return connection();
      },
      renewKubernetes: () => this.#renew(),
      emit: sender.emit.bind(sender),
      tryEmit: sender.tryEmit.bind(sender),
      emitMany: sender.emitMany.bind(sender),
    });
  }
}

/** Why the plugin's source is stale, if that is what it says. */
function staleness(verdict: unknown): string | null {
  const text = typeof verdict === 'object' && verdict !== null ? (verdict as { stale?: unknown }).stale : undefined;
  return typeof text === 'string' && text !== '' ? text.slice(0, STALE_LIMIT) : null;
}

/** The default export, or that of CommonJS which was compiled from an ES module. */
function pluginOf(loaded: unknown): Plugin {
  const { default: given } = loaded as { default?: unknown };
  const inner = (given as { __esModule?: unknown; default?: unknown } | null | undefined)?.__esModule === true;
  const plugin = inner ? (given as { default?: unknown }).default : given;
  if (isPlugin(plugin)) return plugin;
  const text = `the entry must export default definePlugin({ start(ctx) {…} }), got ${exportsText(loaded, plugin)}`;
  const error = new CodedError('PLUGIN_ERR_NOT_A_PLUGIN', text, { kind: 'plugin' });
  // Its frames are khook's.
  error.stack = '';
  throw error;
}

function isPlugin(given: unknown): given is Plugin {
  return typeof given === 'object' && given !== null && typeof (given as Plugin).start === 'function';
}

function exportsText(loaded: unknown, given: unknown): string {
  if (given === undefined) {
    const names = Object.keys(loaded as object).slice(0, MAX_NAMES);
    return names.length === 0 ? 'no exports at all' : `no default export, only ${names.join(', ')}`;
  }
  if (given === null || typeof given !== 'object') return given === null ? 'null' : `a ${typeof given}`;
  const names = Object.keys(given).slice(0, MAX_NAMES);
  const what = names.length === 0 ? 'an empty object' : `an object of ${names.join(', ')}`;
  return `${what} without a function 'start'`;
}
