// Runs in the plugin thread.
/**
 * Keeps up with one collection of the API server, whatever happens to the connection.
 *
 *  unlisted ──list, page by page──▶ listed(resourceVersion) ──watch──▶ closed or failed ──delay──▶ listed: watch again from the version
 *      ▲                                                                   │
 *      └── 410, or an ERROR in the watch: the version is of no more use ───┘
 *
 * A relist reports the difference to what is known: by uid and resourceVersion. Nothing is reported twice for one version, and
 * the version is only advanced past an object once `onChange` is done with it: a slow consumer slows the reading.
 */

import { setTimeout as wait } from 'node:timers/promises';
import type { KubernetesConnection } from 'khook/plugin';
import { ApiError, apiErrorFrom } from './api-error.ts';
import { openStream } from './connection.ts';
import { KnownVersions } from './known-versions.ts';
import { type ListWatchTimes, TIMES, type WatchState } from './list-watch-options.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { linesOf, readText } from './stream.ts';

export interface ApiObject {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

export type Change<T> =
  | { readonly kind: 'added' | 'modified'; readonly object: T }
  | { readonly kind: 'deleted'; readonly uid: string };

export interface ListWatchOptions<T extends ApiObject> {
  readonly path: string;
  /** Read for every request: a rotated token is used at once. */
  readonly connection: () => KubernetesConnection | null;
  readonly signal: AbortSignal;
  /** Objects that are not remembered are reported again by a relist; saves memory where that does no harm. */
  readonly remembers: (object: T) => boolean;
  /** What it throws ends `run`. */
  readonly onChange: (change: Change<T>) => Promise<void> | void;
  readonly onState: (state: WatchState) => void;
  readonly times?: Partial<ListWatchTimes>;
}

type Position = { readonly kind: 'unlisted' } | { readonly kind: 'listed'; readonly resourceVersion: string };

interface WatchLine<T> {
  readonly type?: string;
  readonly object?: T;
}

const PAGE_SIZE = 500;
const MAX_PAGE_BYTES = 32 * 1024 * 1024;

export class ListWatch<T extends ApiObject> {
  readonly #options: ListWatchOptions<T>;
  readonly #times: ListWatchTimes;
  readonly #known = new KnownVersions();
  #position: Position = { kind: 'unlisted' };
  #failures = 0;
  /** What the consumer threw: never mistaken for a fault of the connection, never retried. */
  #consumerFault: { readonly thrown: unknown } | null = null;

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
  }

  /** Resolves when the signal aborts; rejects only with what `onChange` threw. */
  async run(): Promise<void> {
    const { signal, onState } = this.#options;
    while (!signal.aborted) {
      const { error, isStable } = await this.#attempt();
      if (this.#consumerFault !== null) throw this.#consumerFault.thrown;
      if (signal.aborted) break;
      if (error instanceof ApiError && error.isGone) this.#position = { kind: 'unlisted' };
      // A watch that lived is a fresh start; one that is closed at once counts, so that the next is not opened at once.
      this.#failures = (isStable ? 0 : this.#failures) + (error === null && isStable ? 0 : 1);
      await this.#pause(error);
    }
    onState({ kind: 'stopped' });
  }

  async #attempt(): Promise<{ error: unknown; isStable: boolean }> {
    let openedAt = Number.POSITIVE_INFINITY;
    let error: unknown = null;
    try {
      if (this.#position.kind === 'unlisted') this.#position = { kind: 'listed', resourceVersion: await this.#list() };
      const response = await this.#openWatch(this.#position.resourceVersion);
      openedAt = performance.now();
      this.#options.onState({ kind: 'established' });
      for await (const line of linesOf(response, { silenceMs: this.#times.silenceMs })) await this.#takeLine(line);
    } catch (thrown) {
      error = thrown;
    }
    return { error, isStable: performance.now() - openedAt >= this.#times.stableMs };
  }

  async #pause(error: unknown): Promise<void> {
    const { signal, onState } = this.#options;
    const delayMs = reconnectDelay({
      failures: this.#failures,
      baseMs: this.#times.backoffBaseMs,
      capMs: this.#times.backoffCapMs,
      retryAfterMs: error instanceof ApiError ? error.retryAfterMs : null,
      random: Math.random(),
    });
    onState({ kind: 'reconnecting', error, delayMs, relists: this.#position.kind === 'unlisted' });
    await wait(delayMs, undefined, { signal }).catch(() => {});
  }

  /** Returns the version to watch from. Pages are handed on as they come: never is more than one held. */
  async #list(): Promise<string> {
    const listed = new Set<string>();
    let resourceVersion: string | null = null;
    let token = '';
    do {
      const page = await this.#page(token).catch((error: unknown) => {
        // The token is too old. The server offers another that goes on at a newer version; the watch from the first page's
        // version fills the gap.
        if (error instanceof ApiError && error.isGone && token !== '' && error.continueToken !== null) {
          return { token: error.continueToken };
        }
        throw error;
      });
      if ('items' in page) {
        resourceVersion ??= page.resourceVersion;
        for (const object of page.items) {
          listed.add(object.metadata.uid);
          await this.#take(object);
        }
      }
      token = page.token;
    } while (token !== '');
    for (const uid of this.#known.forgetAllBut(listed)) await this.#report({ kind: 'deleted', uid });
    return resourceVersion ?? '';
  }

  async #page(token: string): Promise<{ items: readonly T[]; resourceVersion: string; token: string }> {
    const { answerMs } = this.#times;
    const response = await this.#open('list', {
      limit: String(PAGE_SIZE),
      ...(token === '' ? {} : { continue: token }),
    });
    const text = await readText(response, { silenceMs: answerMs, maxBytes: MAX_PAGE_BYTES });
    const body = parseJson(text) as {
      items?: readonly T[] | null;
      metadata?: { resourceVersion?: string; continue?: string };
    };
    const { resourceVersion = '', continue: next = '' } = body.metadata ?? {};
    if (resourceVersion === '') throw new Error('the API server sent a list without a resourceVersion');
    return { items: body.items ?? [], resourceVersion, token: next };
  }

  #openWatch(from: string): ReturnType<typeof openStream> {
    return this.#open('watch', {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(Math.max(1, Math.round(this.#times.watchSeconds * (1 - Math.random() / 3)))),
    });
  }

  async #takeLine(line: string): Promise<void> {
    const { type, object } = parseJson(line) as WatchLine<T>;
    if (type === 'ERROR') {
      this.#position = { kind: 'unlisted' };
      throw apiErrorFrom(object, { status: 500, verb: 'watch' });
    }
    const resourceVersion = object?.metadata?.resourceVersion;
    if (object === undefined || resourceVersion === undefined) return;
    if (type === 'ADDED' || type === 'MODIFIED') await this.#take(object);
    if (type === 'DELETED') {
      this.#known.forget(object.metadata.uid);
      await this.#report({ kind: 'deleted', uid: object.metadata.uid });
    }
    this.#position = { kind: 'listed', resourceVersion };
  }

  async #take(object: T): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const before = this.#known.versionOf(uid);
    if (before === resourceVersion) return;
    if (this.#options.remembers(object)) this.#known.remember(uid, resourceVersion);
    await this.#report({ kind: before === undefined ? 'added' : 'modified', object });
  }

  async #report(change: Change<T>): Promise<void> {
    try {
      await this.#options.onChange(change);
    } catch (thrown) {
      this.#consumerFault = { thrown };
      throw thrown;
    }
  }

  #open(verb: 'list' | 'watch', query: Record<string, string>): ReturnType<typeof openStream> {
    const connection = this.#options.connection();
    if (connection === null) throw new Error('khook has no connection to a Kubernetes API server');
    const { path, signal } = this.#options;
    return openStream({ connection, verb, path, query, signal, answerMs: this.#times.answerMs });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`the API server sent something that is no JSON: ${text.slice(0, 80)}`, { cause });
  }
}
