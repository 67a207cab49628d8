/** The Hooks of the cluster as they were last seen, each with the last version of it that could be used. One bad Hook leaves the others alone. */

import { type Hook, hookId } from '../config/hook.ts';
import { HOOK_API_VERSION, HOOK_KIND, parseHook } from '../config/hook-schema.ts';
import type { HookStatus } from '../config/hook-status.ts';
import type { Problem } from '../config/problem.ts';
import { readHookStatus } from './hook-status-reading.ts';
import type { ApiObject } from './list-watch.ts';

export interface HookObject extends ApiObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface StoredHook {
  /** `namespace/name`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly status: HookStatus;
  /** The last version that could be used; null: there was none. */
  readonly hook: Hook | null;
  /** Of the present version; empty: it is the one that is used. */
  readonly problems: readonly Problem[];
}

/** `status`: only what khook, or another, wrote into it. `none`: what is known already, or older. */
export type StoreChange = 'added' | 'changed' | 'status' | 'none';

const ORIGIN = 'cluster';
export const MAX_HOOKS = 10_000;
const MAX_AHEAD = 16;

export class HookStore {
  readonly #hooks = new Map<string, StoredHook>();
  /** uid → versions that khook's own patches made and that no watch has told yet, oldest first. */
  readonly #ahead = new Map<string, string[]>();

  get size(): number {
    return this.#hooks.size;
  }

  /** Sorted by id: the same on every replica. */
  get all(): readonly StoredHook[] {
    return [...this.#hooks.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  find(id: string): StoredHook | undefined {
    return this.#hooks.get(id);
  }

  /** What a list or a watch told. Versions have no order: what a patch has answered already is known by its name alone. */
  put(object: HookObject): StoreChange {
    const { uid, resourceVersion } = object.metadata;
    const ahead = this.#ahead.get(uid) ?? [];
    const place = ahead.indexOf(resourceVersion);
    if (place < 0) return this.#take(object);
    ahead.splice(0, place + 1);
    if (ahead.length > 0) return 'none';
    this.#ahead.delete(uid);
    return this.#take(object);
  }

  /** What the answer to khook's own patch told, ahead of the watch. */
  putAnswer(object: HookObject): StoreChange {
    const { uid, resourceVersion } = object.metadata;
    const change = this.#take(object);
    if (change !== 'none') this.#ahead.set(uid, [...(this.#ahead.get(uid) ?? []), resourceVersion].slice(-MAX_AHEAD));
    return change;
  }

  remove({ metadata: { namespace = '', name, uid } }: ApiObject): boolean {
    const id = hookId({ namespace, name });
    this.#ahead.delete(uid);
    // Of the same name there may be another one by now.
    return this.#hooks.get(id)?.uid === uid && this.#hooks.delete(id);
  }

  /** Ids of those in `scope` (a namespace; empty: all) that are not among `uids` are removed and returned. */
  keepOnly(uids: ReadonlySet<string>, scope: string): readonly string[] {
    const gone: string[] = [];
    for (const { id, uid, namespace } of this.#hooks.values()) {
      if (uids.has(uid) || (scope !== '' && namespace !== scope)) continue;
      this.#hooks.delete(id);
      this.#ahead.delete(uid);
      gone.push(id);
    }
    return gone;
  }

  #take(object: HookObject): StoreChange {
    const { namespace = '', name, uid, generation = 0, resourceVersion } = object.metadata;
    const id = hookId({ namespace, name });
    const last = this.#hooks.get(id);
    const before = last?.uid === uid ? last : undefined;
    if (before?.resourceVersion === resourceVersion) return 'none';
    const status = readHookStatus(object.status);
    if (before !== undefined && before.generation >= generation) {
      if (before.generation > generation) return 'none';
      this.#hooks.set(id, { ...before, resourceVersion, status });
      return 'status';
    }
    const read = parseHook(
      { apiVersion: HOOK_API_VERSION, kind: HOOK_KIND, metadata: { name, namespace }, spec: object.spec },
      { origin: ORIGIN },
    );
    this.#hooks.set(id, {
      ...{ id, namespace, name, uid, generation, resourceVersion, status },
      hook: read.kind === 'ok' ? read.hook : (before?.hook ?? null),
      problems: read.kind === 'ok' ? [] : read.problems,
    });
    return before === undefined ? 'added' : 'changed';
  }
}
