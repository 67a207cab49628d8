// Runs in the plugin thread.
/**
 * Keeps up with one collection of the API server, whatever happens to the connection.
 *
 *  unlisted ──list, page by page──▶ listed(resourceVersion) ──watch──▶ closed or failed ──delay──▶ listed: watch again from the version
 *      ▲                                                                   │
 *      └── 410, or an ERROR in the watch: the version is of no more use ───┘
 *
 * The version is only advanced past an object once the listener is done with it. It lives as long as the thread, as do the events that
 * are not acknowledged yet: when the thread ends both are gone, and the next one lists. What a list repeats is told apart by the
 * listener, by what it is about and when it happened: nothing is kept of the objects themselves.
 */

import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { KubernetesConnection } from 'khook/plugin';
import { ApiError, apiErrorFrom } from './api-error.ts';
import { openStream } from './connection.ts';
import { timeOf } from './finding.ts';
import { ListPages, parseJson } from './list-pages.ts';
import {
  type ApiObject,
  type Change,
  type ListWatchOptions,
  type ListWatchTimes,
  TIMES,
} from './list-watch-options.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { linesOf } from './stream.ts';

type Position = { readonly kind: 'unlisted' } | { readonly kind: 'listed'; readonly resourceVersion: string };

interface WatchLine<T> {
  readonly type?: string;
  readonly object?: T;
}

interface Answer {
  readonly response: IncomingMessage;
  readonly at: number;
}

const CHANGES: Readonly<Record<string, Change>> = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' };

export class ListWatch<T extends ApiObject> {
  readonly #options: ListWatchOptions<T>;
  readonly #times: ListWatchTimes;
  #position: Position = { kind: 'unlisted' };
  #failures = 0;
  /** The clock of the API server less this one's: only its own clock can tell the age of what it says. */
  #skewMs = 0;
  /** The identity of the last request. */
  #used: KubernetesConnection | null = null;
  /** What the listener threw: never mistaken for a fault of the connection, never retried. */
  #listenerFault: { readonly thrown: unknown } | null = null;

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
  }

  /** Resolves when the signal aborts; rejects only with what the listener threw. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    let wasRenewed = false;
    while (!signal.aborted) {
      const { error, isStable } = await this.#attempt();
      if (this.#listenerFault !== null) throw this.#listenerFault.thrown;
      if (signal.aborted) break;
      if (error instanceof ApiError && error.isGone) this.#position = { kind: 'unlisted' };
      // Once: credentials that are refused again are a matter of time.
      wasRenewed = !wasRenewed && (await this.#renews(error));
      if (wasRenewed || signal.aborted) continue;
      // A watch that lived is a fresh start; one that is closed at once counts, so that the next is not opened at once.
      this.#failures = (isStable ? 0 : this.#failures) + (error === null && isStable ? 0 : 1);
      await this.#pause(error);
    }
  }

  async #attempt(): Promise<{ error: unknown; isStable: boolean }> {
    let openedAt = Number.POSITIVE_INFINITY;
    let error: unknown = null;
    try {
      if (this.#position.kind === 'unlisted') this.#position = { kind: 'listed', resourceVersion: await this.#list() };
      const { response } = await this.#openWatch(this.#position.resourceVersion);
      openedAt = performance.now();
      this.#options.listener.state({ kind: 'established' });
      for await (const line of linesOf(response, { silenceMs: this.#times.silenceMs })) await this.#takeLine(line);
    } catch (thrown) {
      error = thrown;
    }
    return { error, isStable: performance.now() - openedAt >= this.#times.stableMs };
  }

  async #renews(error: unknown): Promise<boolean> {
    if (!(error instanceof ApiError) || error.status !== 401 || this.#used === null) return false;
    return this.#options.renew(this.#used).catch(() => false);
  }

  async #pause(error: unknown): Promise<void> {
    const { signal, listener } = this.#options;
    const delayMs = reconnectDelay({
      failures: this.#failures,
      baseMs: this.#times.backoffBaseMs,
      capMs: this.#times.backoffCapMs,
      retryAfterMs: error instanceof ApiError ? error.retryAfterMs : null,
      random: Math.random(),
    });
    listener.state({ kind: 'reconnecting', error, delayMs, relists: this.#position.kind === 'unlisted' });
    await wait(delayMs, undefined, { signal }).catch(() => {});
  }

  /** Returns the version to watch from. */
  async #list(): Promise<string> {
    const { pageSize, turns, listener } = this.#options;
    const open = (query: Record<string, string>): Promise<Answer> => this.#open('list', query);
    const pages = new ListPages<T>({ pageSize, open, answerMs: this.#times.answerMs });
    let begun: { readonly resourceVersion: string; readonly at: number } | null = null;
    do {
      // A page is handed on within its turn: it is in memory until then.
      await turns.take(async () => {
        const { items, ...head } = await pages.next();
        if (begun === null) listener.listing(head.at);
        begun ??= head;
        for (const object of items) await this.#tell(object, 'listed');
      });
    } while (!pages.isOver);
    const { resourceVersion, at } = begun ?? { resourceVersion: '', at: 0 };
    listener.caughtUp(at);
    return resourceVersion;
  }

  #openWatch(from: string): Promise<Answer> {
    return this.#open('watch', {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(Math.max(1, Math.round(this.#times.watchSeconds * (1 - Math.random() / 3)))),
    });
  }

  async #takeLine(line: string): Promise<void> {
    const { listener } = this.#options;
    listener.contact();
    const { type = '', object } = (parseJson(line) ?? {}) as WatchLine<T>;
    if (type === 'ERROR') {
      this.#position = { kind: 'unlisted' };
      throw apiErrorFrom(object, { status: 500, verb: 'watch' });
    }
    const resourceVersion = object?.metadata?.resourceVersion;
    if (object === undefined || resourceVersion === undefined) return;
    const change = CHANGES[type];
    if (change !== undefined) await this.#tell(object, change);
    // Changes come in their order: a bookmark stands behind all that was, a new object behind all that was before it. (Of Events some
    // servers send no bookmarks.)
    const at = type === 'BOOKMARK' ? Date.now() + this.#skewMs : timeOf(object.metadata.creationTimestamp);
    if (at !== null && (type === 'BOOKMARK' || change === 'added')) listener.caughtUp(at);
    this.#position = { kind: 'listed', resourceVersion };
  }

  async #tell(object: T, change: Change): Promise<void> {
    try {
      await this.#options.listener.object(object, change);
    } catch (thrown) {
      this.#listenerFault = { thrown };
      throw thrown;
    }
  }

  async #open(verb: 'list' | 'watch', query: Record<string, string>): Promise<Answer> {
    const { path, signal, listener } = this.#options;
    const connection = this.#options.connection();
    this.#used = connection;
    const response = await openStream({ connection, verb, path, query, signal, answerMs: this.#times.answerMs });
    listener.contact();
    const now = Date.now();
    const at = timeOf(response.headers.date) ?? now + this.#skewMs;
    this.#skewMs = at - now;
    return { response, at };
  }
}
