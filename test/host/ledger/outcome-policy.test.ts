import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { strongerOutcome } from '../../../host/ledger/outcome-policy.ts';
import type { Outcome } from '../../../ipc/event.ts';

const ORDER: readonly Outcome[] = ['dead_lettered', 'dropped', 'delivered', 'duplicate', 'filtered', 'unmatched'];

describe('outcome policy', () => {
  it('takes the first that applies of dead_lettered, dropped, delivered, duplicate, filtered, unmatched', () => {
    for (const [rankA, a] of ORDER.entries()) {
      for (const [rankB, b] of ORDER.entries()) assert.equal(strongerOutcome(a, b), rankA <= rankB ? a : b);
    }
  });

  it('does not depend on the order in which firings end', () => {
    const outcomes = fc.array(fc.constantFrom(...ORDER), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(outcomes, (outcomes) => {
        const first = outcomes.reduce((a, b) => strongerOutcome(a, b));
        assert.equal(
          outcomes.toReversed().reduce((a, b) => strongerOutcome(a, b)),
          first,
        );
        assert.equal(
          outcomes.toSorted().reduce((a, b) => strongerOutcome(a, b)),
          first,
        );
        assert.equal(
          first,
          ORDER.find((outcome) => outcomes.includes(outcome)),
        );
      }),
    );
  });
});
