/** Which filters are no CEL expressions. Remembered by text: a change of one Hook must not compile ten thousand again on the host. */

import { type Hook, hookId } from '../config/hook.ts';
import type { Problem } from '../config/problem.ts';
import { compileFilter } from './filter.ts';

export interface FilterProblem {
  /** `namespace/name`. */
  readonly hook: string;
  /** `line:column: what is wrong`. */
  readonly problem: string;
}

export class FilterCheck {
  /** Of the Hooks last checked: filter → its problem. */
  #known = new Map<string, string | null>();
  #told = new Set<string>();

  /** All problems, and those that were not there the last time. */
  check(hooks: readonly Hook[]): { problems: FilterProblem[]; fresh: FilterProblem[] } {
    const known = new Map<string, string | null>();
    const problems: FilterProblem[] = [];
    for (const hook of hooks) {
      const { filter } = hook;
      if (filter === undefined) continue;
      let problem = known.get(filter) ?? this.#known.get(filter);
      if (problem === undefined && !known.has(filter)) problem = compileFilter(filter).problem;
      known.set(filter, problem ?? null);
      if (problem) problems.push({ hook: hookId(hook), problem });
    }
    const fresh = problems.filter((found) => !this.#told.has(JSON.stringify(found)));
    this.#told = new Set(problems.map((found) => JSON.stringify(found)));
    this.#known = known;
    return { problems, fresh };
  }
}

/** The same as problems of the files they stand in. */
export function filterProblems(hooks: readonly Hook[]): Problem[] {
  const origins = new Map(hooks.map((hook) => [hookId(hook), hook.origin]));
  return new FilterCheck().check(hooks).problems.map(({ hook, problem }) => ({
    code: 'HOST_ERR_FILTER',
    message: `the filter is not a CEL expression that khook can use: ${problem}`,
    file: origins.get(hook) ?? hook,
    line: null,
    column: null,
    path: `${hook}: spec.filter`,
    fix: 'line and column count inside the filter; until it is mended, the Hook matches nothing',
    subject: hook,
  }));
}
