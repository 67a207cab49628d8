/** The budgets of Hooks as a recording has them, and what they show of calls that it does not have. By the rules of the host. */

import { afterDigest, BUDGET_WINDOW_MS, type BudgetWindow } from '../dispatch/call-budget.ts';
import type { FiringRead } from './recording-line.ts';

export interface UncountedCalls {
  readonly hook: string;
  /** When the hour began in which they were made. */
  readonly startedAt: number;
  readonly calls: number;
}

interface HookHistory {
  window: BudgetWindow | null;
  /** Those for whom a digest is due at the end of the hour. */
  readonly agents: Set<string>;
}

/** Two hours of one Hook begin at least an hour apart. What is seen of the same one differs by how busy the host was meanwhile. */
const SAME_HOUR_MS = BUDGET_WINDOW_MS / 2;
/** A wall clock has whole milliseconds. */
const TOLERANCE_MS = 50;

export class BudgetHistory {
  readonly #hooks = new Map<string, HookHistory>();

  /** Call with every firing that was accepted, in order. `sinceJudged`: how long after its event was judged a wall time is. */
  next(
    firing: FiringRead,
    { at, sinceJudged }: { readonly at: number; readonly sinceJudged: (wall: number) => number },
  ): UncountedCalls | null {
    const { hook, agent, budget, held } = firing;
    if (budget === undefined) return null;
    const history = this.#of(hook);
    this.#sendDigests(history, at);
    const startedAt = budget.until === undefined ? null : at + sinceJudged(budget.until) - BUDGET_WINDOW_MS;
    const uncounted = startedAt === null ? 0 : budget.calls - countedIn(history.window, startedAt);
    if (startedAt !== null) history.window = { startedAt, calls: budget.calls };
    else history.window = null;
    if (held === true) history.agents.add(agent);
    else history.window = { startedAt: history.window?.startedAt ?? at, calls: (history.window?.calls ?? 0) + 1 };
    return startedAt === null || uncounted <= 0 ? null : { hook, startedAt, calls: uncounted };
  }

  #sendDigests(history: HookHistory, at: number): void {
    const { window, agents } = history;
    if (window === null || agents.size === 0) return;
    const due = window.startedAt + BUDGET_WINDOW_MS;
    if (at < due - TOLERANCE_MS) return;
    history.window = afterDigest(window, due, agents.size);
    agents.clear();
  }

  #of(hook: string): HookHistory {
    let history = this.#hooks.get(hook);
    if (history === undefined) {
      history = { window: null, agents: new Set() };
      this.#hooks.set(hook, history);
    }
    return history;
  }
}

function countedIn(window: BudgetWindow | null, startedAt: number): number {
  return window !== null && Math.abs(window.startedAt - startedAt) <= SAME_HOUR_MS ? window.calls : 0;
}
