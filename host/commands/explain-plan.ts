/** The command line of `khook explain`, read and checked. Pure. */

import type { Outcome } from '../../ipc/event.ts';
import { flagText, type Invocation } from './command.ts';
import { readRecordPlan } from './record-plan.ts';

export interface EventChoice {
  readonly last: number;
  /** Empty: of all. */
  readonly plugins: readonly string[];
  readonly outcomes: readonly Outcome[];
}

export type ExplainPlan =
  | { readonly kind: 'event'; readonly id: string }
  | { readonly kind: 'events'; readonly choice: EventChoice }
  | { readonly kind: 'hook'; readonly hook: string; readonly choice: EventChoice };

const LOOKED_AT = 1_000;

/** The plan, or what is wrong with the command line. */
export function readExplainPlan(invocation: Invocation): ExplainPlan | string {
  const [id] = invocation.positionals;
  const last = flagText(invocation, 'last');
  const hook = flagText(invocation, 'hook');
  const recorded = readRecordPlan(invocation);
  if (typeof recorded === 'string') return recorded;
  const { plugins, outcomes } = recorded;
  if (id !== undefined) {
    if (last === null && hook === null && plugins.length + outcomes.length === 0) return { kind: 'event', id };
    return 'an event id stands alone: leave out --last, --hook, --plugin and --outcome';
  }
  const choice = { last: last === null ? LOOKED_AT : recorded.last, plugins, outcomes };
  if (hook !== null) {
    if (/^[^/\s]+\/[^/\s]+$/.test(hook)) return { kind: 'hook', hook, choice };
    return `--hook must be NAMESPACE/NAME, got '${hook}'`;
  }
  if (last !== null) return { kind: 'events', choice };
  return 'name an event id, --last N or --hook NS/NAME';
}
