/**
 * The cluster as the rest of khook sees it: Hooks come out of it, and what becomes of them goes back into it. Made only where Hooks are read from
 * the cluster. What it reads it always reads; it writes while this khook leads and has taken over what stands there.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { Emitter, Subscribable } from '../base/emitter.ts';
import type { HookSource } from '../config/hook-source.ts';
import type { ActiveRecord } from './active-events.ts';
import { ApiClient, type ConnectionSource } from './api-client.ts';
import { resourceOf } from './api-target.ts';
import { clusterHooks } from './cluster-hooks.ts';
import { EventRecorder } from './event-recorder.ts';
import { type ClusterEvents, requestOutcome } from './events.ts';
import type { FiringEvents } from './firing-events.ts';
import type { RuleProblem } from './hook-conditions.ts';
import { HookInformer } from './hook-informer.ts';
import { HookReporter } from './hook-reporter.ts';
import type { Leadership } from './leadership.ts';
import type { ListWatchTimes } from './list-watch.ts';
import { type Refusal, Refusals } from './refusal.ts';
import { StatusWriter } from './status-writer.ts';

export interface ClusterOptions {
  readonly source: ConnectionSource;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whose Hooks count; empty: all. */
  readonly namespaces: readonly string[];
  /** Of the pod; stands in Events. */
  readonly instance: string;
  readonly leadership: Leadership;
  readonly events: Emitter<ClusterEvents>;
  /** Of dedup. */
  readonly windowMs: number;
  /** How long after a firing its key must be known. */
  readonly retentionMs: number;
  readonly times?: Partial<ListWatchTimes>;
}

/** At the end, for what was not written yet. */
const LAST_WORDS_MS = 500;

export class Cluster implements AsyncDisposable {
  readonly hooks: HookSource;
  readonly #client: ApiClient;
  readonly #informer: HookInformer;
  readonly #refusals: Refusals;
  readonly #reporter: HookReporter;
  readonly #status: StatusWriter;
  readonly #recorder: EventRecorder;
  #hasTakenOver = false;

  constructor(options: ClusterOptions) {
    const { source, clock, random, namespaces, events, leadership } = options;
    this.#client = new ApiClient({
      source,
      clock,
      onAnswer: ({ verb, target }, status) =>
        events.emit('request:done', { verb, resource: resourceOf(target), outcome: requestOutcome(status) }),
    });
    this.#refusals = new Refusals({
      clock,
      isPerNamespace: namespaces.length > 0,
      onRefused: (refusal) => events.emit(refusal.resource === 'hooks' ? 'hooks:refused' : 'access:refused', refusal),
      onLifted: (refusal) => events.emit('access:granted', refusal),
    });
    const common = { client: this.#client, clock, random, refusals: this.#refusals, events };
    this.#informer = new HookInformer({ ...common, namespaces, ...(options.times && { times: options.times }) });
    const { store } = this.#informer;
    this.hooks = clusterHooks(this.#informer, namespaces);
    this.#reporter = new HookReporter({ ...options, store });
    const mayWrite = (): boolean => this.#hasTakenOver && leadership.isLeader;
    this.#status = new StatusWriter({
      ...common,
      mayWrite,
      find: (hook) => store.find(hook),
      desired: (stored) => this.#reporter.desired(stored),
      onAnswer: (object) => this.#informer.takeAnswer(object),
    });
    this.#recorder = new EventRecorder({ ...common, mayWrite, instance: options.instance });
    this.#reporter.start({ status: this.#status, recorder: this.#recorder });
    this.#informer.onRemoved((hook) => {
      this.#status.forget(hook);
      this.#reporter.forget(hook);
    });
    this.#informer.onContact(() => this.#status.hurry());
    this.#informer.start();
  }

  /** Why the Hooks are not known; empty when they are. */
  get problem(): string {
    const [refusal] = this.#refusals.all.filter(({ resource }) => resource === 'hooks');
    return refusal === undefined || this.#informer.isSynced ? this.#informer.problem : refusal.message;
  }

  get isSynced(): boolean {
    return this.#informer.isSynced;
  }

  /** Milliseconds since the API server was heard about Hooks. */
  get silentMs(): number {
    return this.#informer.silentMs;
  }

  get refusals(): readonly Refusal[] {
    return this.#refusals.all;
  }

  follow(dispatch: Subscribable<FiringEvents>): void {
    this.#reporter.follow(dispatch);
  }

  /**
   * This khook leads from now on. Lists the Hooks anew, so that what the one before it wrote last is seen, and resolves with what their status
   * says of firings. That may take as long as the API server is away. Rejects when the cluster is closed.
   */
  async takeOver(): Promise<readonly ActiveRecord[]> {
    await this.#informer.relist();
    const recorded = this.#reporter.adoptRecorded();
    this.#hasTakenOver = true;
    return recorded;
  }

  /** Keys that the data directory knows: what was not written before the end of the last life. */
  adopt(known: Parameters<HookReporter['adoptKnown']>[0]): void {
    this.#reporter.adoptKnown(known);
  }

  /** The Hooks that were read last are in force, and this is wrong with their rules. */
  judge(problems: ReadonlyMap<string, RuleProblem>): void {
    this.#reporter.judge(problems);
  }

  /** Resolves when what has been said of the Hook stands in its status, so that whoever takes over finds it; or when that cannot be had soon. */
  recorded(hook: string): Promise<void> {
    return this.#status.recorded(hook);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reporter[Symbol.dispose]();
    await this.#status.close(LAST_WORDS_MS);
    await this.#recorder.close();
    await this.#informer.close();
    this.#client[Symbol.dispose]();
  }
}
