// Runs in the plugin thread.
/** What is logged of one watch: its first success, the beginning and the end of an outage, and what it is not allowed to. */

import type { PluginContext } from 'khook/plugin';
import { ApiError } from './api-error.ts';
import { denialOf } from './denial.ts';
import { DENIAL_BELIEVED_AFTER_MS } from './freshness.ts';
import type { WatchState } from './list-watch-options.ts';
import type { Scope } from './resource.ts';

/** How a watch ended: a label of a metric. */
export type WatchEnd = 'ended' | 'gone' | 'denied' | 'failed';

export class WatchLines {
  readonly #log: PluginContext['log'];
  readonly #scope: Scope;
  /** Since when it is cut off, in milliseconds of the monotonic clock; null while it is not. */
  #cutOffAt: number | null = null;
  #isNew = true;
  /** So that an outage, or a missing rule, is not repeated at each attempt. */
  #lastDenial = '';

  constructor(log: PluginContext['log'], scope: Scope) {
    this.#log = log;
    this.#scope = scope;
  }

  established(): void {
    const cutOffMs = this.#cutOffAt === null ? null : performance.now() - this.#cutOffAt;
    // A watch ends and is renewed every minute or so: only the first, and one after a failure, is news.
    const level = this.#isNew || cutOffMs !== null ? 'info' : 'debug';
    const outage = cutOffMs === null || this.#isNew ? {} : { cutOffSeconds: Math.round(cutOffMs / 1_000) };
    this.#log[level]('Kubernetes event watcher established', { ...this.#about(), ...outage });
    this.#isNew = false;
    this.#cutOffAt = null;
    this.#lastDenial = '';
  }

  reconnecting({ error, delayMs, relists }: Extract<WatchState, { kind: 'reconnecting' }>, why: string): void {
    const end = endOf(error);
    const isCutOff = end === 'failed' || end === 'denied';
    const isNews = isCutOff && this.#cutOffAt === null;
    if (isCutOff) this.#cutOffAt ??= performance.now();
    if (end === 'denied' && this.#isBelieved) {
      this.#deny(error as ApiError);
      return;
    }
    const fields = { ...this.#about(), why, retryInMs: Math.round(delayMs), relists };
    this.#log[isNews ? 'warn' : 'debug']('Kubernetes event watcher reconnecting', fields);
  }

  /** Of what was never allowed, at once. */
  get #isBelieved(): boolean {
    return this.#isNew || performance.now() - (this.#cutOffAt ?? Infinity) > DENIAL_BELIEVED_AFTER_MS;
  }

  #deny(error: ApiError): void {
    const { problem, remedy, rule } = denialOf(error, this.#scope);
    if (problem === this.#lastDenial) return;
    this.#lastDenial = problem;
    const { apiGroup } = this.#scope.resource;
    const missing = { verb: error.verb, apiGroup, ...this.#about(), remedy, rule };
    this.#log.error(`Kubernetes event watcher is ${problem}`, missing);
  }

  #about(): { resource: string; namespace: string } {
    const { resource, namespace } = this.#scope;
    return { resource: resource.name, namespace: namespace === '' ? '(all)' : namespace };
  }
}

export function endOf(error: unknown): WatchEnd {
  if (error === null) return 'ended';
  if (!(error instanceof ApiError)) return 'failed';
  if (error.isGone) return 'gone';
  return error.isDenied ? 'denied' : 'failed';
}
