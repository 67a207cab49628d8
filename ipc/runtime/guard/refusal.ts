// Runs in the plugin's thread.
/** What a plugin is told when it reaches for something it may not have, and what the operator is told about it. */

import { defineProperty, PlainError, SafeSet } from './primordials.ts';
import type { UseCount } from './use-count.ts';

/** More distinct attempts than this are not logged: their number must not be the plugin's choice. */
const MAX_REPORTS = 64;

export interface Refusals {
  /** An error in the form of Node's permission model. The first time for each `what`, the operator hears of it. */
  error(what: string, why: string): Error;
  /** Reports only: where the caller must answer with an errno. Each time is counted. */
  report(what: string, why: string, as?: 'deniedNetwork' | 'deniedOther'): void;
  /** A function that does nothing but refuse. */
  refuse(what: string, why: string): () => never;
}

export function makeRefusals(uses: UseCount, log: (message: string) => void): Refusals {
  const reported = new SafeSet<string>();
  const report: Refusals['report'] = (what, why, as = 'deniedOther') => {
    uses.more(as);
    if (reported.size >= MAX_REPORTS || reported.has(what)) return;
    reported.add(what);
    log(`refused ${what}: ${why}`);
  };
  const error = (what: string, why: string): Error => {
    report(what, why);
    const refusal = new PlainError(`a plugin may not use ${what}: ${why}`);
    // Defined, not assigned: a setter planted on Error.prototype must not see it.
    defineProperty(refusal, 'code', {
      __proto__: null,
      value: 'ERR_ACCESS_DENIED',
      enumerable: true,
    } as PropertyDescriptor);
    return refusal;
  };
  // Not an arrow function: some of what it replaces is a constructor.
  const refuse = (what: string, why: string) =>
    function refused(): never {
      throw error(what, why);
    };
  return { error, report, refuse };
}
