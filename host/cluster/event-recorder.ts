/**
 * Writes Events about Hooks, for `kubectl describe`. They are told and never waited for: there is a budget of requests, a gap between two writes of
 * one Event, and a bound on those that wait. What is over any of these shows in a count, or not at all, and is counted here.
 */

import { randomBytes } from 'node:crypto';
import { type Clock, delay } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Emitter } from '../base/emitter.ts';
import { fullBucket, refill, take, waitMs } from '../base/token-bucket.ts';
import { HOOK_API_VERSION, HOOK_KIND } from '../config/hook-schema.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { ApiTarget } from './api-target.ts';
import { EventSeries, type Regarding, type SeriesEvent } from './event-series.ts';
import type { EventWords } from './event-words.ts';
import type { ClusterEvents } from './events.ts';
import type { Refusals } from './refusal.ts';

export interface EventRecorderOptions {
  readonly client: Pick<ApiClient, 'json'>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly refusals: Refusals;
  readonly events: Emitter<ClusterEvents>;
  /** Of the pod. */
  readonly instance: string;
  readonly mayWrite: () => boolean;
}

const COMPONENT = 'khook';
const RATE = { perSecond: 10, burst: 50 };
/** Between two writes of one Event. */
const RAISE_GAP_MS = 10_000;
const MAX_WAITING = 2_000;
const BACKOFF = { initialMs: 1_000, maxMs: 60_000, factor: 2 };
/** A rule that is missing is not there a moment later, unless the API server has just started. */
const FORBIDDEN_BACKOFF = { initialMs: 10_000, maxMs: 60_000, factor: 6 };

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new EventSeries();
  /** In the order in which they came. */
  readonly #waiting = new Set<SeriesEvent>();
  readonly #closing = new AbortController();
  #bucket;
  #failures = 0;
  #wake: AbortController | null = null;
  #run: Promise<void> | null = null;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#bucket = fullBucket(RATE, options.clock.now());
  }

  note(regarding: Regarding, words: EventWords): void {
    const { clock, events, mayWrite } = this.#options;
    if (this.#closing.signal.aborted || !mayWrite()) return;
    const event = this.#series.note(regarding, words, { now: clock.now(), wall: clock.wall() });
    if (!this.#waiting.has(event) && this.#waiting.size >= MAX_WAITING) {
      events.emit('record:dropped', { reason: words.reason, count: event.unwritten });
      event.unwritten = 0;
      return;
    }
    this.#waiting.add(event);
    this.#wake?.abort();
    this.#start();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#run;
  }

  #start(): void {
    this.#run ??= this.#loop().then(() => {
      this.#run = null;
      // What was said while the loop was ending.
      if (this.#waiting.size > 0 && !this.#closing.signal.aborted) this.#start();
    });
  }

  /** Ends when nothing waits. Never rejects. */
  async #loop(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    // What is said in one turn is counted before anything is written.
    await delay(clock, 0, signal).catch(() => undefined);
    while (!signal.aborted && this.#waiting.size > 0) {
      const { event, dueInMs } = this.#next();
      if (event === null || dueInMs > 0) {
        // A new Event may be due earlier than all that wait.
        this.#wake = new AbortController();
        await delay(clock, dueInMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
        continue;
      }
      this.#bucket = take(this.#bucket, RATE, { now: clock.now(), count: 1 });
      this.#waiting.delete(event);
      await this.#write(event);
    }
  }

  /** The first that is due, else the one that is due first. */
  #next(): { readonly event: SeriesEvent | null; readonly dueInMs: number } {
    const now = this.#options.clock.now();
    this.#bucket = refill(this.#bucket, RATE, now);
    const budgetMs = waitMs(this.#bucket, RATE, now);
    let first: SeriesEvent | null = null;
    let dueInMs = Number.POSITIVE_INFINITY;
    for (const event of this.#waiting) {
      const gapMs = event.writtenAt === null ? 0 : Math.max(0, event.writtenAt + RAISE_GAP_MS - now);
      if (gapMs >= dueInMs) continue;
      first = event;
      dueInMs = gapMs;
      if (gapMs === 0) break;
    }
    return { event: first, dueInMs: Math.max(budgetMs, dueInMs) };
  }

  /** Never rejects. */
  async #write(event: SeriesEvent): Promise<void> {
    const { clock, events, refusals, random, mayWrite } = this.#options;
    if (!mayWrite()) return;
    const { unwritten, words } = event;
    event.unwritten = 0;
    event.writtenAt = clock.now();
    try {
      await this.#send(event);
      this.#failures = 0;
      events.emit('record:written', { reason: words.reason });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const isLost = error instanceof ApiError && (error.isForbidden || error.isInvalid || error.isNotFound);
      if (error instanceof ApiError && error.isForbidden) refusals.note(error);
      else events.emit('record:error', { reason: words.reason, message: messageOf(error) });
      if (isLost) events.emit('record:dropped', { reason: words.reason, count: unwritten });
      else {
        event.unwritten += unwritten;
        event.writtenAt = null;
        this.#waiting.add(event);
      }
      this.#failures += 1;
      const isForbidden = error instanceof ApiError && error.isForbidden;
      const pauseMs = backoffMs(isForbidden ? FORBIDDEN_BACKOFF : BACKOFF, this.#failures, random());
      await delay(clock, pauseMs, this.#closing.signal).catch(() => undefined);
    }
  }

  async #send(event: SeriesEvent): Promise<void> {
    const { client, refusals } = this.#options;
    const { signal } = this.#closing;
    const { namespace } = event.regarding;
    if (event.name !== null) {
      const target = eventTarget(namespace, event.name);
      const body = { count: event.count, lastTimestamp: instant(event.lastAt), message: event.words.message };
      try {
        await client.json({ verb: 'patch', target, body, signal });
        refusals.lift('patch', target);
        return;
      } catch (error) {
        // The API server forgets Events after a while.
        if (!(error instanceof ApiError) || !error.isNotFound) throw error;
      }
    }
    const name = `${event.regarding.name.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
    const target = eventTarget(namespace);
    await client.json({ verb: 'create', target, body: this.#object(event, name), signal }).catch((error: unknown) => {
      // Sent twice over a connection that broke: it stands there.
      if (!(error instanceof ApiError) || !error.isAlreadyThere) throw error;
    });
    refusals.lift('create', target);
    event.name = name;
  }

  #object(event: SeriesEvent, name: string): unknown {
    const { regarding, words, count, firstAt, lastAt } = event;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: regarding.namespace },
      involvedObject: { apiVersion: HOOK_API_VERSION, kind: HOOK_KIND, ...regarding },
      ...words,
      source: { component: COMPONENT },
      reportingComponent: COMPONENT,
      reportingInstance: this.#options.instance,
      firstTimestamp: instant(firstAt),
      lastTimestamp: instant(lastAt),
      count,
    };
  }
}

function eventTarget(namespace: string, name?: string): ApiTarget {
  return { group: '', version: 'v1', resource: 'events', namespace, ...(name !== undefined && { name }) };
}

/** metav1.Time has whole seconds. */
function instant(wall: number): string {
  return `${new Date(wall).toISOString().slice(0, 19)}Z`;
}
