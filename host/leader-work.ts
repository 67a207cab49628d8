/**
 * What only the leader does: it takes up what fired before, and then lets plugins run. A khook that is alone leads at once.
 *
 *  waiting ─acquired─▶ taking-over ─Hooks listed anew and in force─▶ open
 *     └────────────────────┴────────────── lost ────────────────────┘─▶ lost
 *
 * `waiting` and `taking-over`: no plugin runs, so nothing can be missed; Hooks are followed, ports are open. `open`: plugins run, firings go out, and
 * what becomes of them is written into the cluster. `lost`: nothing more goes out, from that moment on; there is no way back. Whoever started khook is
 * told and ends it: a fresh process is a standby of which nothing of the old term is left.
 */

import type { ActiveRecord } from './cluster/active-events.ts';
import type { Leadership } from './cluster/leadership.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { DedupRecord, DedupWindow } from './dispatch/dedup.ts';
import type { RecordedFiring } from './dispatch/takeover.ts';

export interface LeaderWorkOptions {
  readonly leadership: Leadership;
  /** null: Hooks are not read from the cluster, and nothing of firings stands there. */
  readonly cluster: {
    takeOver(): Promise<readonly ActiveRecord[]>;
    adopt(known: readonly DedupRecord[]): void;
  } | null;
  readonly dispatch: {
    readonly dedup: Pick<DedupWindow, 'snapshot'>;
    restore(recorded: readonly RecordedFiring[]): Promise<number>;
    drain(graceMs: number): Promise<unknown>;
  };
  readonly onError: (error: unknown) => void;
}

/** The configuration in force, to be put into force again. */
export interface WorkConfig {
  readonly current: LoadedConfig;
  reload(): Promise<LoadedConfig>;
  apply(config: LoadedConfig): Promise<void>;
}

type State = 'waiting' | 'taking-over' | 'open' | 'lost';

export class LeaderWork implements Disposable {
  readonly #options: LeaderWorkOptions;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #lost = Promise.withResolvers<string>();
  #state: State = 'waiting';
  #isClosed = false;

  constructor(options: LeaderWorkOptions) {
    this.#options = options;
  }

  /** Plugins may run and events are taken. */
  get isOpen(): boolean {
    return this.#isIn('open');
  }

  /** Resolves, with the reason, when this process must not go on. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** Puts the configuration into force. Resolves when that is done; of a khook that leads and needs no cluster, when its plugins run. */
  async start(config: WorkConfig): Promise<void> {
    const { leadership, cluster, onError } = this.#options;
    this.#unsubscribe.push(
      leadership.events.on('leadership:acquired', () => void this.#acquire(config).catch(onError)),
      leadership.events.on('leadership:lost', ({ why }) => this.#lose(why)),
    );
    if (leadership.isLeader && cluster === null) {
      await this.#acquire(config);
      return;
    }
    await config.apply(config.current);
    if (leadership.isLeader) this.#acquire(config).catch(onError);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  async #acquire(config: WorkConfig): Promise<void> {
    if (!this.#isIn('waiting')) return;
    const { cluster, dispatch } = this.#options;
    this.#transition('taking-over');
    let recorded: readonly RecordedFiring[] = [];
    if (cluster !== null) {
      try {
        recorded = await cluster.takeOver();
      } catch (error) {
        // khook stops.
        if (this.#isClosed) return;
        throw error;
      }
      // The Hooks that were just listed, and no older ones, decide what fires.
      await config.reload();
    }
    if (!this.#isIn('taking-over') || this.#isClosed) return;
    this.#transition('open');
    // Not waited for: while the outbox is at fault khook serves, says so, and its sources wait. It rejects when khook stops before that.
    dispatch.restore(recorded).then(
      () => cluster?.adopt(dispatch.dedup.snapshot()),
      () => undefined,
    );
    await config.apply(config.current);
  }

  #lose(why: string): void {
    if (this.#isIn('lost')) return;
    this.#transition('lost');
    // Calls under way are cut, and what has not reached its agent stays in the outbox.
    this.#options.dispatch.drain(0).catch(this.#options.onError);
    this.#lost.resolve(why);
  }

  #isIn(state: State): boolean {
    return this.#state === state;
  }

  /** The one place where the state changes. */
  #transition(state: State): void {
    this.#state = state;
  }
}
