/**
 * Keeps up with one collection of the API server, whatever happens to the connection.
 *
 *  unlisted ──list──▶ listed(resourceVersion) ──watch──▶ ended or failed ──delay──▶ listed: watch again from that version
 *      ▲                                                     │
 *      └─ the version is gone, the last list is old, or somebody asked: list anew ─┘
 *
 * `unlisted`: enters at the start, with a 410, with an ERROR in a watch, after `resyncMs`, and by `relist`. Lists all pages, says them as one
 * `replaced`, and becomes `listed`. `listed`: watches; its version moves with every line, bookmarks included. A watch that is silent for longer
 * than it may live is given up. There is no end but `close`: whatever else goes wrong is said, and tried again after a jittered back-off.
 */

import { type Clock, delay } from '../../ipc/clock.ts';
import { backoffMs } from '../base/backoff.ts';
import { Emitter, type Subscribable } from '../base/emitter.ts';
import { linesOf } from './answer-body.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError, apiErrorFrom } from './api-error.ts';
import type { ApiTarget } from './api-target.ts';

export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
  };
}

export interface ListWatchEvents<T extends ApiObject> {
  /** All there is, from a list. */
  replaced: { readonly objects: readonly T[] };
  put: { readonly object: T };
  removed: { readonly object: T };
  /** A watch was opened. */
  watching: undefined;
  /** The server was heard: a page, a line, a bookmark, the good end of a watch. */
  contact: undefined;
  /** An attempt failed; the next follows in `retryInMs`. */
  failed: { readonly error: unknown; readonly retryInMs: number };
}

export interface ListWatchTimes {
  /** The server is asked to end a watch after two thirds to all of this. */
  readonly watchSeconds: number;
  /** Longer than a watch may live: only a dead connection is silent for so long. */
  readonly silenceMs: number;
  /** Age of the last list at which the next watch is preceded by another one: what was missed somehow is not missed for ever. */
  readonly resyncMs: number;
  /** A watch that lived so long was a success. */
  readonly stableMs: number;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly factor: number };
}

export const LIST_WATCH_TIMES: ListWatchTimes = {
  watchSeconds: 90,
  silenceMs: 100_000,
  resyncMs: 600_000,
  stableMs: 2_000,
  backoff: { initialMs: 500, maxMs: 10_000, factor: 2 },
};

export interface ListWatchOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly target: ApiTarget;
  readonly times?: Partial<ListWatchTimes>;
}

type Position =
  | { readonly kind: 'unlisted' }
  | { readonly kind: 'listed'; readonly resourceVersion: string; readonly listedAt: number };

interface WatchLine {
  readonly type?: string;
  readonly object?: unknown;
}

const PAGE_SIZE = 500;

export class ListWatch<T extends ApiObject> {
  readonly #options: ListWatchOptions;
  readonly #times: ListWatchTimes;
  readonly #events = new Emitter<ListWatchEvents<T>>();
  readonly #closing = new AbortController();
  /** Ends the running attempt and the pause after it. */
  #interrupt = new AbortController();
  #position: Position = { kind: 'unlisted' };
  #failures = 0;
  /** Those who wait for a list that began after they asked. */
  #waiting: (() => void)[] = [];
  #run: Promise<void> | null = null;

  constructor(options: ListWatchOptions) {
    this.#options = options;
    this.#times = { ...LIST_WATCH_TIMES, ...options.times };
  }

  get events(): Subscribable<ListWatchEvents<T>> {
    return this.#events;
  }

  start(): void {
    this.#run ??= this.#loop();
  }

  /** Resolves when a list that began after this call has been said; that may take as long as the server is away. Rejects when closed. */
  relist(): Promise<void> {
    this.#transition({ kind: 'unlisted' });
    this.#interrupt.abort();
    return new Promise((resolve, reject) => {
      const { signal } = this.#closing;
      const onClosed = (): void => reject(signal.reason);
      if (signal.aborted) onClosed();
      signal.addEventListener('abort', onClosed, { once: true });
      this.#waiting.push(() => {
        signal.removeEventListener('abort', onClosed);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#interrupt.abort();
    await this.#run;
  }

  async #loop(): Promise<void> {
    let wasGone = false;
    while (!this.#closing.signal.aborted) {
      this.#interrupt = new AbortController();
      const { signal } = this.#interrupt;
      const { error, isStable } = await this.#attempt(signal);
      if (signal.aborted) continue;
      const isGone = error instanceof ApiError && error.isGone;
      if (isGone) this.#transition({ kind: 'unlisted' });
      if (error === null) this.#events.emit('contact', undefined);
      // A watch that lived is a fresh start; one that ends at once counts, or the next would be opened at once as well.
      this.#failures = (isStable ? 0 : this.#failures) + (error === null && isStable ? 0 : 1);
      // The list that follows needs no pause, unless it did not help the last time.
      if (!isGone || wasGone) await this.#pause(error, signal);
      wasGone = isGone;
    }
  }

  async #attempt(signal: AbortSignal): Promise<{ error: unknown; isStable: boolean }> {
    const { clock } = this.#options;
    let openedAt = Number.POSITIVE_INFINITY;
    try {
      const from = this.#isFresh() ? this.#position : await this.#list(signal);
      if (from.kind === 'unlisted' || signal.aborted) return { error: null, isStable: false };
      const body = await this.#openWatch(from.resourceVersion, signal);
      openedAt = clock.now();
      this.#events.emit('watching', undefined);
      this.#events.emit('contact', undefined);
      for await (const line of linesOf(body, { clock, silenceMs: this.#times.silenceMs })) this.#takeLine(line, signal);
      return { error: null, isStable: clock.now() - openedAt >= this.#times.stableMs };
    } catch (error) {
      return { error, isStable: clock.now() - openedAt >= this.#times.stableMs };
    }
  }

  async #pause(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const own = this.#failures === 0 ? 0 : backoffMs(this.#times.backoff, this.#failures, random());
    const retryInMs = Math.max(own, asked);
    if (error !== null) this.#events.emit('failed', { error, retryInMs });
    await delay(clock, retryInMs, signal).catch(() => undefined);
  }

  #isFresh(): boolean {
    const { clock } = this.#options;
    return this.#position.kind === 'listed' && clock.now() - this.#position.listedAt < this.#times.resyncMs;
  }

  /** Without a resourceVersion in the query the server answers with what is stored now, not with what it remembers. */
  async #list(signal: AbortSignal): Promise<Position> {
    const { client, target, clock } = this.#options;
    const waiting = this.#waiting.splice(0);
    try {
      const objects: T[] = [];
      let resourceVersion = '';
      let token = '';
      do {
        const query = { limit: String(PAGE_SIZE), ...(token !== '' && { continue: token }) };
        const page = await client.json<{
          items?: unknown;
          metadata?: { resourceVersion?: string; continue?: string };
        }>({ verb: 'list', target, query, signal });
        objects.push(...apiObjects<T>(page.items ?? []));
        // Of the first page: the watch fills what happened since.
        resourceVersion ||= page.metadata?.resourceVersion ?? '';
        token = page.metadata?.continue ?? '';
        this.#events.emit('contact', undefined);
      } while (token !== '');
      if (resourceVersion === '') throw new Error('the API server sent a list without a resourceVersion');
      const position: Position = { kind: 'listed', resourceVersion, listedAt: clock.now() };
      if (signal.aborted) throw signal.reason;
      this.#transition(position);
      this.#events.emit('replaced', { objects });
      for (const resolve of waiting.splice(0)) resolve();
      return position;
    } finally {
      this.#waiting.unshift(...waiting);
    }
  }

  #openWatch(from: string, signal: AbortSignal): ReturnType<ApiClient['stream']> {
    const { client, target, random } = this.#options;
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(Math.max(1, Math.round(this.#times.watchSeconds * (1 - random() / 3)))),
    };
    return client.stream({ verb: 'watch', target, query, signal });
  }

  #takeLine(line: string, signal: AbortSignal): void {
    // What was read ahead of an interruption is older than the list that follows.
    if (signal.aborted || this.#position.kind === 'unlisted') throw signal.reason;
    const { type, object } = JSON.parse(line) as WatchLine;
    if (type === 'ERROR') {
      this.#transition({ kind: 'unlisted' });
      throw apiErrorFrom(object, { verb: 'watch', target: this.#options.target, status: 500 });
    }
    const { resourceVersion } = (object as Partial<ApiObject> | undefined)?.metadata ?? {};
    if (typeof resourceVersion !== 'string' || resourceVersion === '') return;
    this.#events.emit('contact', undefined);
    // A bookmark has a version and is no object.
    const [known] = type === 'BOOKMARK' ? [] : apiObjects<T>([object]);
    if (known !== undefined && (type === 'ADDED' || type === 'MODIFIED')) this.#events.emit('put', { object: known });
    if (known !== undefined && type === 'DELETED') this.#events.emit('removed', { object: known });
    this.#transition({ ...this.#position, resourceVersion });
  }

  /** The one place where the position changes. */
  #transition(position: Position): void {
    this.#position = position;
  }
}

/** What is no object of an API server, whoever sent it, is passed over: a proxy may answer anything. */
function apiObjects<T extends ApiObject>(items: unknown): T[] {
  if (!Array.isArray(items)) throw new Error('the API server sent a list whose items are none');
  return items.filter((item: Partial<ApiObject> | null | undefined): item is T => {
    const { name, uid, resourceVersion } = item?.metadata ?? {};
    return [name, uid, resourceVersion].every((text) => typeof text === 'string' && text !== '');
  });
}
