// Runs in the plugin thread.
/** Watches the Events of one namespace, or of all, and emits those that matter. */

import type { PluginContext } from 'khook/plugin';
import { ApiError } from './api-error.ts';
import { denialOf } from './denial.ts';
import { EmitWindow } from './emit-window.ts';
import { eventFrom } from './event-from.ts';
import { countOf, type EventObject } from './event-object.ts';
import { type Change, ListWatch } from './list-watch.ts';
import type { ListWatchTimes, WatchState } from './list-watch-options.ts';
import { classify } from './reason-table.ts';
import { isStale } from './staleness.ts';
import { WatchHealth } from './watch-health.ts';

export interface EventWatcherOptions {
  readonly ctx: PluginContext;
  /** Empty = all namespaces. */
  readonly namespace: string;
  readonly times?: Partial<ListWatchTimes>;
}

const MAX_ON_THEIR_WAY = 64;
/** Past this the oldest count is forgotten; the Event may then be emitted again, and the host's dedup decides. */
const MAX_COUNTS = 20_000;

export class EventWatcher {
  readonly #ctx: PluginContext;
  readonly #namespace: string;
  readonly #health = new WatchHealth(performance.now());
  readonly #window: EmitWindow;
  readonly #listWatch: ListWatch<EventObject>;
  readonly #ignored: ReturnType<PluginContext['metrics']['counter']>;
  /** uid → the count that was last emitted: an Event is updated in place, and only a higher count is another occurrence. */
  readonly #counts = new Map<string, number>();
  /** What the log last said about the connection, so that an outage is not repeated at each attempt. */
  #lastDenial = '';
  #hasFailed = true;

  constructor({ ctx, namespace, times = {} }: EventWatcherOptions) {
    this.#ctx = ctx;
    this.#namespace = namespace;
    this.#window = new EmitWindow(MAX_ON_THEIR_WAY, ctx.signal);
    this.#ignored = ctx.metrics.counter({
      name: 'kubernetes_events_ignored_total',
      help: 'Events not emitted, by cause.',
    });
    const scope = namespace === '' ? '' : `/namespaces/${namespace}`;
    this.#listWatch = new ListWatch<EventObject>({
      path: `/apis/events.k8s.io/v1${scope}/events`,
      connection: () => ctx.kubernetes,
      signal: ctx.signal,
      remembers: (event) => classify(event).kind === 'event',
      onChange: (change) => this.#take(change),
      onState: (state) => this.#follow(state),
      times,
    });
  }

  get isHealthy(): boolean {
    return this.#health.isHealthy(performance.now());
  }

  /** Resolves when the plugin is stopping. */
  run(): Promise<void> {
    return this.#listWatch.run();
  }

  async #take(change: Change<EventObject>): Promise<void> {
    if (change.kind === 'deleted') {
      this.#counts.delete(change.uid);
      return;
    }
    const event = change.object;
    const found = classify(event);
    if (found.kind === 'ignored') return this.#ignore(event, found.why);
    if (isStale(event, Date.now())) return this.#ignore(event, 'stale');
    const { uid } = event.metadata;
    const count = countOf(event);
    if (count <= (this.#counts.get(uid) ?? 0)) return this.#ignore(event, 'same_count');
    this.#remember(uid, count);
    await this.#window.add(this.#emit(found.type, event));
  }

  /** Never rejects: one refused event is no reason to stop watching. */
  async #emit(type: Parameters<typeof eventFrom>[0], event: EventObject): Promise<void> {
    try {
      await this.#ctx.emit(eventFrom(type, event));
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === 'EVENT_ERR_STOPPING') return;
      this.#ctx.log.warn('Kubernetes event refused', { uid: event.metadata.uid, type, code, error: message });
    }
  }

  #remember(uid: string, count: number): void {
    this.#counts.delete(uid);
    this.#counts.set(uid, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_COUNTS && oldest !== undefined) this.#counts.delete(oldest);
  }

  #ignore(event: EventObject, why: string): void {
    this.#ignored.inc(1, { why });
    if (!this.#ctx.debug) return;
    const { reason, type, regarding } = event;
    this.#ctx.log.debug('Kubernetes event ignored', {
      why,
      reason,
      type,
      kind: regarding?.kind,
      name: regarding?.name,
    });
  }

  #follow(state: WatchState): void {
    const { log } = this.#ctx;
    const namespace = this.#namespace === '' ? '(all)' : this.#namespace;
    switch (state.kind) {
      case 'established':
        this.#health.established();
        // A watch ends and is renewed every minute or so: only the first, and one after a failure, is news.
        log[this.#hasFailed ? 'info' : 'debug']('Kubernetes event watcher established', { namespace });
        this.#hasFailed = false;
        this.#lastDenial = '';
        break;
      case 'reconnecting': {
        this.#health.lost(performance.now());
        const { error, delayMs, relists } = state;
        const why =
          error === null ? 'the API server ended the watch' : error instanceof Error ? error.message : String(error);
        if (error instanceof ApiError && error.isDenied) this.#deny(error, namespace);
        const isRoutine = error === null || (error instanceof ApiError && error.isGone);
        if (!isRoutine) this.#hasFailed = true;
        const fields = { namespace, why, retryInMs: Math.round(delayMs), relists };
        log[isRoutine ? 'debug' : 'warn']('Kubernetes event watcher reconnecting', fields);
        break;
      }
      case 'stopped':
        log.info('Kubernetes event watcher stopped', { namespace });
        break;
    }
  }

  #deny(error: ApiError, namespace: string): void {
    const { problem, remedy } = denialOf(error, this.#namespace);
    if (problem === this.#lastDenial) return;
    this.#lastDenial = problem;
    this.#ctx.log.error(`Kubernetes event watcher is ${problem}`, {
      namespace,
      verb: error.verb,
      resource: 'events.k8s.io/events',
      remedy,
    });
  }
}
