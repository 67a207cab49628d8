import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type BackoffPolicy, backoffCeilingMs, backoffMs } from '../../../host/base/backoff.ts';

const policy: fc.Arbitrary<BackoffPolicy> = fc
  .record({
    initialMs: fc.integer({ min: 1, max: 10_000 }),
    extraMs: fc.nat(1_000_000),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
  })
  .map(({ initialMs, extraMs, factor }) => ({ initialMs, maxMs: initialMs + extraMs, factor }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('back-off', () => {
  it('stays between half of its ceiling and its ceiling, and is never nothing', () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: -5, max: 100_000 }), random, (policy, attempt, random) => {
        const ceiling = backoffCeilingMs(policy, attempt);
        const delay = backoffMs(policy, attempt, random);
        assert.ok(Number.isSafeInteger(delay) && delay >= 1);
        assert.ok(
          delay >= Math.floor(ceiling / 2) && delay <= Math.ceil(ceiling),
          `${delay} for a ceiling of ${ceiling}`,
        );
        assert.ok(delay <= policy.maxMs);
      }),
    );
  });

  it('has ceilings that never fall and end at the maximum', () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 5_000 }), (policy, attempt) => {
        assert.equal(backoffCeilingMs(policy, 1), policy.initialMs);
        assert.ok(backoffCeilingMs(policy, attempt + 1) >= backoffCeilingMs(policy, attempt));
        if (policy.factor > 1.1) assert.equal(backoffCeilingMs(policy, 100_000), policy.maxMs);
      }),
    );
  });

  it('doubles from attempt to attempt', () => {
    const policy = { initialMs: 250, maxMs: 60_000, factor: 2 };
    assert.deepEqual(
      [1, 2, 3, 8, 9, 10].map((attempt) => backoffCeilingMs(policy, attempt)),
      [250, 500, 1_000, 32_000, 60_000, 60_000],
    );
    assert.equal(backoffMs(policy, 3, 0), 500);
  });
});
