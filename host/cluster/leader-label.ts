/**
 * The label of the pod that leads: the webhook Service selects it, so that calls reach the khook that takes them. Written when leadership is acquired,
 * taken off when it is lost, when khook stops, and when a standby starts, whose earlier life may have left it. Whoever takes over from a leader that
 * went silent takes it off that one's pod as well: it cannot do so itself if it is cut off.
 *
 * What is wanted of each pod is kept until it is so; one request at a time, so that an older wish never overtakes a newer one.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { type BackoffPolicy, backoffMs } from '../base/backoff.ts';
import { Emitter, type Subscribable } from '../base/emitter.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { LabelEvents, LeaseEvents } from './lease-events.ts';
import { podOf } from './lease-identity.ts';

export const LEADER_LABEL = 'khook.kagent.dev/leader';

export interface LeaderLabelOptions {
  readonly client: Pick<ApiClient, 'json'>;
  /** khook's own. */
  readonly pod: { readonly namespace: string; readonly name: string };
  readonly leadership: { readonly isLeader: boolean; readonly events: Subscribable<LeaseEvents> };
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

const BACKOFF: BackoffPolicy = { initialMs: 500, maxMs: 30_000, factor: 2 };
/** A label that somebody took off by hand is back within a minute. */
const AGAIN_MS = 60_000;
/** Longest that a stop waits for it. */
const REMOVE_MS = 3_000;

export class LeaderLabel {
  readonly #options: LeaderLabelOptions;
  readonly #events = new Emitter<LabelEvents>();
  /** Pod → whether it shall have the label. At most khook's own and the one it took over from. */
  readonly #wanted = new Map<string, boolean>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #end = new AbortController();
  #retry: Timer | null = null;
  #again: Timer | null = null;
  #writing: Promise<void> | null = null;
  #failures = 0;
  #fault: string | null = null;

  constructor(options: LeaderLabelOptions) {
    this.#options = options;
  }

  get events(): Subscribable<LabelEvents> {
    return this.#events;
  }

  start(): void {
    const { leadership, pod, clock } = this.#options;
    this.#unsubscribe.push(
      leadership.events.on('leadership:acquired', ({ from, before }) => {
        this.#want(pod.name, true);
        if (from === 'expired' && podOf(before) !== pod.name) this.#want(podOf(before), false);
      }),
      leadership.events.on('leadership:lost', () => {
        // Whoever leads now sees to the others.
        this.#wanted.clear();
        this.#want(pod.name, false);
      }),
    );
    this.#again = clock.every(AGAIN_MS, () => {
      if (leadership.isLeader) this.#want(pod.name, true);
    });
    this.#want(pod.name, leadership.isLeader);
  }

  /** Before the lease is given back. Never rejects; waits for a few seconds at most. */
  async remove(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#again?.cancel();
    this.#wanted.clear();
    this.#want(this.#options.pod.name, false);
    const timer = this.#options.clock.after(REMOVE_MS, () => this.#end.abort(new Error('khook is stopping')));
    await this.#writing;
    timer.cancel();
    this.#retry?.cancel();
    this.#wanted.clear();
  }

  #want(pod: string, label: boolean): void {
    this.#wanted.set(pod, label);
    this.#resume();
  }

  #resume(): void {
    this.#retry?.cancel();
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** Until everything is as it is wanted, or something fails. Never rejects. */
  async #write(): Promise<void> {
    // In a turn of its own, so that all that is wanted in this one is known.
    await null;
    for (;;) {
      const [next] = this.#wanted;
      if (next === undefined) break;
      const [pod, label] = next;
      try {
        await this.#patch(pod, label);
      } catch (error) {
        this.#tellFault(pod, error);
        this.#tryAgain(pod);
        return;
      }
      // It may be wanted otherwise by now.
      if (this.#wanted.get(pod) === label) this.#wanted.delete(pod);
    }
    this.#failures = 0;
    if (this.#fault === null) return;
    this.#fault = null;
    this.#events.emit('label:recovered', { pod: this.#options.pod.name });
  }

  #tryAgain(pod: string): void {
    const label = this.#wanted.get(pod);
    if (label === undefined) return;
    // Behind the others: one that cannot be written must not keep them from it.
    this.#wanted.delete(pod);
    this.#wanted.set(pod, label);
    this.#failures += 1;
    const ms = backoffMs(BACKOFF, this.#failures, this.#options.random());
    this.#retry = this.#options.clock.after(ms, () => this.#resume());
  }

  async #patch(name: string, label: boolean): Promise<void> {
    const { client, pod } = this.#options;
    const target = { group: '', version: 'v1', resource: 'pods', namespace: pod.namespace, name };
    const body = { metadata: { labels: { [LEADER_LABEL]: label ? 'true' : null } } };
    try {
      await client.json({ verb: 'patch', target, body, signal: this.#end.signal });
    } catch (error) {
      // The pod of a leader that is gone.
      if (name !== pod.name && error instanceof ApiError && error.isNotFound) return;
      throw error;
    }
  }

  #tellFault(pod: string, error: unknown): void {
    const message = messageOf(error);
    if (this.#fault === message) return;
    this.#fault = message;
    this.#events.emit('label:fault', { pod, code: codeOf(error), message });
  }
}
