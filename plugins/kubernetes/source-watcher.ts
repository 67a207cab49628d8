// Runs in the plugin thread.
/** Watches one collection, in one namespace or in all, and emits what is news in it. */

import type { PluginContext } from 'khook/plugin';
import type { Credentials } from './credentials.ts';
import type { EmitWindow } from './emit-window.ts';
import type { Finding, IgnoredWhy, Occurrence } from './finding.ts';
import { Freshness } from './freshness.ts';
import { ListWatch } from './list-watch.ts';
import type { ApiObject, Change, ListWatchTimes, WatchState } from './list-watch-options.ts';
import { Occurrences } from './occurrences.ts';
import { pathOf, type Scope } from './resource.ts';
import type { Turns } from './turns.ts';
import { endOf, WatchLines } from './watch-lines.ts';

/** What all watches of the plugin have in common. */
export interface Shared {
  readonly ctx: PluginContext;
  readonly credentials: Credentials;
  readonly window: EmitWindow;
  readonly turns: Turns;
  /** Occurrences that one watch remembers. */
  readonly maxKnown: number;
  readonly times?: Partial<ListWatchTimes>;
}

export interface SourceWatcherOptions<T extends ApiObject> {
  readonly shared: Shared;
  readonly scope: Scope;
  /** What an object says; empty when nothing. */
  readonly read: (object: T, change: Change) => readonly Finding[];
  /** Told of what comes of each finding; null: it is emitted. */
  readonly onFinding?: (object: T, ignored: IgnoredWhy | null) => void;
}

export class SourceWatcher<T extends ApiObject> {
  readonly freshness: Freshness;
  readonly #options: SourceWatcherOptions<T>;
  readonly #lines: WatchLines;
  readonly #occurrences: Occurrences;
  readonly #listWatch: ListWatch<T>;
  readonly #seen: ReturnType<PluginContext['metrics']['counter']>;
  readonly #ends: ReturnType<PluginContext['metrics']['counter']>;

  constructor(options: SourceWatcherOptions<T>) {
    this.#options = options;
    const { shared, scope } = options;
    const { ctx, credentials, turns, times = {} } = shared;
    this.freshness = new Freshness(scope, performance.now());
    this.#occurrences = new Occurrences(shared.maxKnown);
    this.#lines = new WatchLines(ctx.log, scope);
    this.#seen = ctx.metrics.counter({ name: 'kubernetes_objects_read_total', help: 'Objects listed or watched.' });
    this.#ends = ctx.metrics.counter({
      name: 'kubernetes_watch_ends_total',
      help: 'Watches that ended, or could not begin: "ended" in good order, "gone" to be listed again, "denied", "failed".',
    });
    this.#listWatch = new ListWatch<T>({
      path: pathOf(scope),
      pageSize: scope.resource.pageSize,
      connection: () => credentials.connection,
      renew: (refused) => credentials.renew(refused),
      turns,
      signal: ctx.signal,
      listener: {
        listing: (at) => this.#occurrences.begin(at),
        object: (object, change) => this.#take(object, change),
        caughtUp: (at) => this.#occurrences.caughtUp(at),
        contact: () => this.freshness.heard(performance.now()),
        state: (state) => this.#follow(state),
      },
      times,
    });
  }

  /** Resolves when the plugin is stopping. */
  run(): Promise<void> {
    return this.#listWatch.run();
  }

  async #take(object: T, change: Change): Promise<void> {
    const { shared, scope } = this.#options;
    this.#seen.inc(1, { resource: scope.resource.name });
    let news: readonly Occurrence[] = [];
    try {
      news = this.#news(object, change);
    } catch (error) {
      // One object that cannot be read is no reason to stop watching.
      const { uid } = (object as Partial<T> | null)?.metadata ?? {};
      const fields = { resource: scope.resource.name, uid, error: (error as Error).message };
      shared.ctx.log.warn('Kubernetes object cannot be read', fields);
    }
    for (const occurrence of news) await shared.window.add(this.#emit(occurrence));
  }

  #news(object: T, change: Change): Occurrence[] {
    const { read, onFinding } = this.#options;
    const news: Occurrence[] = [];
    for (const finding of read(object, change)) {
      const verdict = finding.kind === 'ignored' ? finding.why : this.#occurrences.judge(finding);
      onFinding?.(object, verdict === 'news' ? null : verdict);
      if (finding.kind === 'occurrence' && verdict === 'news') news.push(finding);
    }
    return news;
  }

  /** Never rejects: one refused event is no reason to stop watching either. */
  async #emit({ event, key }: Occurrence): Promise<void> {
    const { ctx } = this.#options.shared;
    try {
      await ctx.emit(event);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === 'EVENT_ERR_STOPPING') return;
      ctx.log.warn('Kubernetes event refused', { about: key, type: event.type, code, error: message });
    }
  }

  #follow(state: WatchState): void {
    if (state.kind === 'established') {
      this.freshness.established();
      this.#lines.established();
      return;
    }
    const { error } = state;
    const end = endOf(error);
    const why =
      error === null ? 'the API server ended the watch' : error instanceof Error ? error.message : String(error);
    this.#ends.inc(1, { resource: this.#options.scope.resource.name, how: end });
    if (end === 'failed' || end === 'denied') this.freshness.failed(why, end === 'denied');
    this.#lines.reconnecting(state, why);
  }
}
