/** Where Hooks come from: a folder, or something else that gives them in the same form (the cluster). */

import { digest } from './fingerprint.ts';
import type { Hook } from './hook.ts';
import { readHooksDirectory } from './hooks-directory.ts';
import { keepHooks } from './last-good.ts';
import { goodPart, type Part } from './part.ts';
import { formatProblem } from './problem.ts';

export interface HookSource {
  /** For people: `config/hooks`, `the cluster`. */
  readonly place: string;
  /** Folders to watch. */
  readonly directories: readonly string[];
  /** What it holds now. A Hook of `last` that went bad since stays in force. */
  read(last: Part<readonly Hook[]> | null): Part<readonly Hook[]>;
  /** Of changes that no folder shows, once they have settled. Returns the function that unsubscribes. */
  onChange(listener: () => void): () => void;
}

/** Of whoever has none. */
export const NO_HOOKS: HookSource = {
  place: 'nowhere',
  directories: [],
  read: () => goodPart([], digest([])),
  onChange: () => () => undefined,
};

/** `defaultNamespace`: of a Hook that names none. */
export function hooksFolder(directory: string, defaultNamespace: string | null): HookSource {
  return {
    place: directory,
    directories: [directory],
    read(last) {
      const read = readHooksDirectory(directory, defaultNamespace === null ? {} : { defaultNamespace });
      const hooks = keepHooks(read.hooks, last?.content ?? [], read.problems);
      return { ...goodPart(hooks, digest(hooks)), problems: read.problems, notes: read.warnings.map(formatProblem) };
    },
    onChange: () => () => undefined,
  };
}
