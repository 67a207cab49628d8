/** The Hooks of the cluster as a source of configuration: what a folder of files is to a khook without a cluster. */

import { digest } from '../config/fingerprint.ts';
import type { Hook } from '../config/hook.ts';
import type { HookSource } from '../config/hook-source.ts';
import { goodPart, rejectedPart } from '../config/part.ts';
import type { Problem } from '../config/problem.ts';
import type { HookInformer } from './hook-informer.ts';
import { MAX_HOOKS, type StoredHook } from './hook-store.ts';

/** A Hook that went bad stays in force as it was, for as long as that very object stands: the store holds its last good version. */
export function clusterHooks(
  informer: Pick<HookInformer, 'store' | 'onChange' | 'isSynced'>,
  namespaces: readonly string[],
): HookSource {
  return {
    place: namespaces.length === 0 ? 'the cluster' : `the cluster (${namespaces.join(', ')})`,
    directories: [],
    read(last) {
      if (!informer.isSynced) return rejectedPart(last ?? goodPart([], digest([])), []);
      const stored = informer.store.all;
      const taken = stored.slice(0, MAX_HOOKS);
      const hooks: Hook[] = taken.flatMap(({ hook }) => (hook === null ? [] : [hook]));
      const problems = [...taken.flatMap((each) => each.problems), ...stored.slice(MAX_HOOKS).map(leftOut)];
      return { ...goodPart(hooks, digest(hooks)), problems };
    },
    onChange: (listener) => informer.onChange(listener),
  };
}

function leftOut({ id }: StoredHook): Problem {
  const message = `Hook ${id} is left out: more than ${MAX_HOOKS} Hooks`;
  const place = { file: 'cluster', line: null, column: null, path: '', subject: id };
  return { code: 'HOST_ERR_HOOK', message, ...place, fix: 'delete some, or give khook fewer namespaces to watch' };
}
