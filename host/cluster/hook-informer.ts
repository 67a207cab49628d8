/**
 * The Hooks of the cluster, or of some namespaces of it, kept in step with the API server. One list and watch for each namespace, so that roles per
 * namespace are enough. It cannot end by itself: what goes wrong is said and tried again, and the Hooks that are known stay known.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { Emitter } from '../base/emitter.ts';
import { hookId } from '../config/hook.ts';
import { HOOK_API_VERSION } from '../config/hook-schema.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { ApiTarget } from './api-target.ts';
import type { ClusterEvents } from './events.ts';
import { type HookObject, HookStore, type StoreChange } from './hook-store.ts';
import { ListWatch, type ListWatchTimes } from './list-watch.ts';
import type { Refusals } from './refusal.ts';

export interface HookInformerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly events: Emitter<ClusterEvents>;
  readonly refusals: Refusals;
  readonly times?: Partial<ListWatchTimes>;
}

/** Silence after which the Hooks are called stale: more than two watches may live. */
const STALE_MS = 240_000;
const LOOK_EVERY_MS = 10_000;
/** Quiet time after the last change before it is told; a stream of changes is told after five times as long. */
const SETTLE_MS = 100;
const MAX_SETTLE_FACTOR = 5;

const [GROUP = '', VERSION = ''] = HOOK_API_VERSION.split('/');

export function hookTarget(namespace: string, name?: string): ApiTarget {
  return { group: GROUP, version: VERSION, resource: 'hooks', namespace, ...(name !== undefined && { name }) };
}

interface Scope {
  readonly namespace: string;
  readonly watch: ListWatch<HookObject>;
  isListed: boolean;
  heardAt: number;
}

export class HookInformer {
  readonly store = new HookStore();
  readonly #options: HookInformerOptions;
  readonly #scopes: readonly Scope[];
  readonly #listeners = new Set<() => void>();
  readonly #removalListeners = new Set<(hook: string) => void>();
  readonly #contactListeners = new Set<() => void>();
  #hasFailed = false;
  readonly #look: Timer;
  #unsaid = { added: 0, changed: 0, removed: 0 };
  #changedAt: number | null = null;
  #settle: Timer | null = null;
  #staleSince: number | null = null;
  #lastFailure = 'nothing was heard yet';

  constructor(options: HookInformerOptions) {
    this.#options = options;
    const { client, clock, random, times = {} } = options;
    const namespaces = options.namespaces.length === 0 ? [''] : options.namespaces;
    this.#scopes = namespaces.map((namespace) => {
      const watch = new ListWatch<HookObject>({ client, clock, random, target: hookTarget(namespace), times });
      const scope: Scope = { namespace, watch, isListed: false, heardAt: clock.now() };
      this.#follow(scope);
      return scope;
    });
    this.#look = clock.every(LOOK_EVERY_MS, () => this.#judgeSilence());
  }

  start(): void {
    for (const { watch } of this.#scopes) watch.start();
  }

  /** Every namespace was listed at least once. */
  get isSynced(): boolean {
    return this.#scopes.every(({ isListed }) => isListed);
  }

  /** Why they are not synced; empty when they are. */
  get problem(): string {
    return this.isSynced ? '' : `the Hooks of the cluster were not read yet: ${this.#lastFailure}`;
  }

  /** Milliseconds since the namespace that is silent for longest was heard. */
  get silentMs(): number {
    return this.#options.clock.now() - Math.min(...this.#scopes.map(({ heardAt }) => heardAt));
  }

  /** Lists anew, all of it. Resolves when that is done, however long the server is away. Rejects when closed. */
  async relist(): Promise<void> {
    await Promise.all(this.#scopes.map(({ watch }) => watch.relist()));
  }

  /** Of Hooks that came, changed or went, once that has settled. Returns the function that unsubscribes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of each Hook that went, at once. `namespace/name`. */
  onRemoved(listener: (hook: string) => void): void {
    this.#removalListeners.add(listener);
  }

  /** Of the API server, when it is heard again after an attempt that failed. */
  onContact(listener: () => void): void {
    this.#contactListeners.add(listener);
  }

  /** The answer to a request of khook's own: ahead of the watch, and as good. */
  takeAnswer(object: HookObject): void {
    this.#changed(this.store.putAnswer(object));
  }

  async close(): Promise<void> {
    this.#look.cancel();
    this.#settle?.cancel();
    await Promise.all(this.#scopes.map(({ watch }) => watch.close()));
  }

  #follow(scope: Scope): void {
    const { watch, namespace } = scope;
    const { clock, refusals } = this.#options;
    watch.events.on('contact', () => {
      scope.heardAt = clock.now();
      this.#judgeSilence();
    });
    watch.events.on('watching', () => {
      refusals.lift('watch', hookTarget(namespace));
      if (this.#hasFailed) for (const listener of this.#contactListeners) listener();
      this.#hasFailed = false;
    });
    watch.events.on('failed', ({ error }) => this.#failed(error));
    watch.events.on('put', ({ object }) => this.#changed(this.store.put(object)));
    watch.events.on('removed', ({ object }) => {
      if (this.store.remove(object)) this.#removed([hookId({ namespace: '', ...object.metadata })]);
    });
    watch.events.on('replaced', ({ objects }) => {
      for (const object of objects) this.#changed(this.store.put(object));
      this.#removed(this.store.keepOnly(new Set(objects.map(({ metadata }) => metadata.uid)), namespace));
      refusals.lift('list', hookTarget(namespace));
      const wasSynced = this.isSynced;
      scope.isListed = true;
      if (!wasSynced && this.isSynced) this.#synced();
    });
  }

  #synced(): void {
    const { events, namespaces } = this.#options;
    events.emit('hooks:synced', { hooks: this.store.size, namespaces });
  }

  #failed(error: unknown): void {
    this.#lastFailure = failureText(error);
    this.#hasFailed = true;
    if (error instanceof ApiError && error.isForbidden) this.#options.refusals.note(error);
    else if (!this.isSynced) this.#stale();
  }

  /** A server that is away is no news while the Hooks are fresh enough; it is when there are none yet, and when it stays away. */
  #judgeSilence(): void {
    const { clock, events } = this.#options;
    if (this.silentMs >= STALE_MS) this.#stale();
    else if (this.#staleSince !== null && this.isSynced) {
      events.emit('hooks:fresh', { afterMs: clock.now() - this.#staleSince });
      this.#staleSince = null;
    }
  }

  #stale(): void {
    if (this.#staleSince !== null) return;
    this.#staleSince = this.#options.clock.now();
    this.#options.events.emit('hooks:stale', { reason: this.#lastFailure, isSynced: this.isSynced });
  }

  #removed(hooks: readonly string[]): void {
    if (hooks.length === 0) return;
    for (const hook of hooks) for (const listener of this.#removalListeners) listener(hook);
    this.#unsaid.removed += hooks.length;
    this.#tellSoon();
  }

  #changed(change: StoreChange): void {
    if (change !== 'added' && change !== 'changed') return;
    this.#unsaid[change] += 1;
    this.#tellSoon();
  }

  #tellSoon(): void {
    const { clock } = this.#options;
    this.#changedAt ??= clock.now();
    const latest = this.#changedAt + MAX_SETTLE_FACTOR * SETTLE_MS;
    this.#settle?.cancel();
    this.#settle = clock.after(Math.min(SETTLE_MS, Math.max(0, latest - clock.now())), () => this.#tell());
  }

  #tell(): void {
    this.#changedAt = null;
    const told = this.#unsaid;
    this.#unsaid = { added: 0, changed: 0, removed: 0 };
    this.#options.events.emit('hooks:changed', told);
    for (const listener of [...this.#listeners]) listener();
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof ApiError) || !error.isNotFound) return messageOf(error);
  return `${error.message}; the CustomResourceDefinition of Hooks is missing: apply crds/hooks.yaml of khook's chart`;
}
