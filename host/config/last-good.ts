/** What stays in force when a reload brings something that cannot be used. Pure. */

import { type Hook, hookId } from './hook.ts';
import type { PluginPlan } from './plugin-plan.ts';
import type { Problem } from './problem.ts';

export interface RunningPlan {
  readonly plan: PluginPlan & { readonly kind: 'run' };
  /** Stamp of the bundle it was made for. */
  readonly stamp: string;
}

/** A plugin whose entry went bad keeps its last good plan, as long as its bundle is the very one that plan was made for. */
export function keepPlans(
  plans: readonly PluginPlan[],
  previous: ReadonlyMap<string, RunningPlan>,
  stamps: ReadonlyMap<string, string>,
): readonly PluginPlan[] {
  return plans.map((plan) => {
    const last = previous.get(plan.name);
    if (plan.kind !== 'invalid' || last === undefined || stamps.get(plan.name) !== last.stamp) return plan;
    return plan.problems.some(isAboutBundle) ? plan : last.plan;
  });
}

/** The limit of plugins and everything about a bundle is no slip of the entry: those plans stand as they are. */
function isAboutBundle(problem: Problem): boolean {
  return problem.code.startsWith('HOST_ERR_BUNDLE_');
}

/** A Hook that is gone from the new ones because of a problem of its own, or of its whole file, stays as it was. */
export function keepHooks(
  hooks: readonly Hook[],
  previous: readonly Hook[],
  problems: readonly Problem[],
): readonly Hook[] {
  const present = new Set(hooks.map(hookId));
  const kept = previous.filter(
    (hook) => !present.has(hookId(hook)) && problems.some((problem) => isAboutHook(problem, hook)),
  );
  return kept.length === 0 ? hooks : [...hooks, ...kept];
}

function isAboutHook(problem: Problem, hook: Hook): boolean {
  return problem.file === hook.origin && ['', hook.name, hookId(hook)].includes(problem.subject);
}
