/**
 * A Hook's filter: a CEL expression over one event. Types are checked when it is compiled, so most slips are found when the Hook is
 * read. It fails closed: a filter that is broken, or that fails for an event, does not let it through, and says so.
 */

import { Environment } from '@marcbachmann/cel-js';
import { messageOf } from '../../ipc/errors.ts';
import { type AstNode, FilterBudget, meterNodes, nodesOf } from './filter-cost.ts';
import { FILTER_FIELDS, FilterEvent } from './filter-event.ts';
import { registerMatches } from './filter-regex.ts';
import { safeText } from './text-cap.ts';

export interface Filter {
  /** `line:column: what is wrong`, or null. */
  readonly problem: string | null;
  /** Whether it lets the event through, or why it failed: `line:column: why`. Never throws. */
  readonly evaluate: (event: FilterEvent) => boolean | string;
}

/** One for all: evaluation is synchronous, one at a time in a thread. */
const BUDGET = new FilterBudget();
const LIMITS = { maxAstNodes: 500, maxDepth: 32, maxListElements: 256, maxMapEntries: 64, maxCallArguments: 8 };
const SHOWN_LENGTH = 300;
const MAX_DURATION_LENGTH = 64;

const ENVIRONMENT = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: LIMITS,
})
  .registerType('Event', { ctor: FilterEvent, fields: FILTER_FIELDS })
  .registerVariable('event', 'Event');
registerMatches(ENVIRONMENT, BUDGET);

/** Never throws. */
export function compileFilter(source: string): Filter {
  try {
    const program = ENVIRONMENT.parse(source);
    const { valid, type, error } = program.check();
    if (!valid || error !== undefined) return broken(source, error);
    if (type !== 'bool' && type !== 'dyn')
      return broken(source, new Error(`a filter must be true or false, and this is of type ${type}`));
    const nodes = nodesOf(program.ast as unknown as AstNode);
    const fault = durationFault(nodes);
    if (fault !== null) return broken(source, fault);
    meterNodes(nodes, BUDGET);
    return { problem: null, evaluate: remembered((event) => evaluate(source, program, event)) };
  } catch (error) {
    return broken(source, error);
  }
}

function evaluate(source: string, program: (context: object) => unknown, event: FilterEvent): boolean | string {
  BUDGET.refill(event.size);
  let value: unknown;
  try {
    value = program({ event });
  } catch (error) {
    return BUDGET.isExhausted ? BUDGET.message : inWords(source, error);
  }
  // An `||` hides what failed on its other side; having spent everything is not to be hidden.
  if (BUDGET.isExhausted) return BUDGET.message;
  return typeof value === 'boolean' ? value : `1:1: a filter must be true or false, and for this event it is neither`;
}

/** Hooks with the same filter share it: it answers once for an event that several of them meet. */
function remembered(evaluateOnce: (event: FilterEvent) => boolean | string): Filter['evaluate'] {
  let latest: WeakRef<FilterEvent> | null = null;
  let answer: boolean | string = false;
  return (event) => {
    if (latest?.deref() !== event) {
      answer = evaluateOnce(event);
      latest = new WeakRef(event);
    }
    return answer;
  };
}

function broken(source: string, error: unknown): Filter {
  const problem = inWords(source, error);
  return { problem, evaluate: () => problem };
}

/** The library reads a duration with a backtracking expression: of a literal that is harmless, of an event's text it is not. */
function durationFault(nodes: readonly AstNode[]): Partial<FilterFault> | null {
  for (const { op, args, start } of nodes) {
    if (op !== 'call' || !Array.isArray(args) || args[0] !== 'duration') continue;
    const [argument] = (args[1] ?? []) as readonly AstNode[];
    if (argument?.op === 'value' && String(argument.args).length <= MAX_DURATION_LENGTH) continue;
    return { summary: "a duration must be written out, as in duration('10m')", range: { start } };
  }
  return null;
}

/** What the library's errors of all kinds have. */
interface FilterFault {
  readonly summary: string;
  readonly code: string;
  readonly range: { readonly start: number };
}

/** With its place in the text, and a way out where there is a usual one. */
function inWords(source: string, error: unknown): string {
  const { summary, range, code } = error as Partial<FilterFault>;
  const said = summary ?? messageOf(error);
  const before = source.slice(0, range?.start ?? 0).split('\n');
  const place = `${before.length}:${(before.at(-1) ?? '').length + 1}`;
  return safeText(`${place}: ${said}${hint(source, code, said, range?.start ?? 0)}`, SHOWN_LENGTH);
}

function hint(source: string, code: string | undefined, said: string, at: number): string {
  if (code === 'unknown_variable') return '; a filter knows the variable event';
  if (/^no such overload: (dyn<string> \S+ (int|double)|(int|double) \S+ dyn<string>)/.test(said))
    return '; text is no number: int(…) or double(…) makes one of it';
  if (code !== 'no_such_key') return '';
  const key = said.slice('No such key: '.length);
  if (/\bevent\s*\.\s*$/.test(source.slice(0, at)) && !Object.hasOwn(FILTER_FIELDS, key))
    return `; an event has ${Object.keys(FILTER_FIELDS).join(', ')}`;
  return /^\w+$/.test(key) ? `; if it may be missing, ask with has() first, or write .?${key}.orValue(…)` : '';
}
