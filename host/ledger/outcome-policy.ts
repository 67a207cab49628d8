/** Which outcome an event has when several firings end differently. Pure. */

import type { Outcome } from '../../ipc/event.ts';

/** The first of these that any firing ended with. */
const PRECEDENCE: readonly Outcome[] = ['dead_lettered', 'dropped', 'delivered', 'duplicate', 'filtered', 'unmatched'];

export function strongerOutcome(a: Outcome, b: Outcome): Outcome {
  const [rankA, rankB] = [PRECEDENCE.indexOf(a), PRECEDENCE.indexOf(b)];
  if (rankA === -1) return b;
  return rankB === -1 || rankA <= rankB ? a : b;
}
