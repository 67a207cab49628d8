/** What a supervisor remembers of the runs that ended without being asked to: the failures that count, how many by reason, the last one. */

import type { Exit } from '../sandbox/exit.ts';
import {
  decideRestart,
  type Failure,
  type FailureHistory,
  NO_FAILURES,
  type RestartDecision,
} from './restart-policy.ts';

export interface LastExit {
  readonly exit: Exit;
  /** Unix milliseconds. */
  readonly at: number;
}

export class RunHistory {
  #failures: FailureHistory = NO_FAILURES;
  #restarts: Readonly<Record<string, number>> = {};
  #lastExit: LastExit | null = null;

  /** Reason → runs that ended for it and were, or will be, followed by another. */
  get restarts(): Readonly<Record<string, number>> {
    return this.#restarts;
  }

  get lastExit(): LastExit | null {
    return this.#lastExit;
  }

  add(last: LastExit, failure: Omit<Failure, 'reason'>): RestartDecision {
    const { reason } = last.exit;
    const decision = decideRestart(this.#failures, { ...failure, reason });
    this.#failures = decision.history;
    this.#lastExit = last;
    if (decision.kind !== 'give_up')
      this.#restarts = { ...this.#restarts, [reason]: (this.#restarts[reason] ?? 0) + 1 };
    return decision;
  }

  /** A new plan or an operator's word: failures of the past count no more. */
  forgive(): void {
    this.#failures = NO_FAILURES;
  }
}
