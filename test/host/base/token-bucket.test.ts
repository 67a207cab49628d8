import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type BucketRate, fullBucket, refill, take, waitMs } from '../../../host/base/token-bucket.ts';

const rate: fc.Arbitrary<BucketRate> = fc.record({
  perSecond: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0.01, max: 10, noNaN: true })),
  burst: fc.integer({ min: 1, max: 10_000 }),
});
const frames = fc.array(fc.record({ count: fc.integer({ min: 1, max: 256 }), pauseMs: fc.nat(2_000) }), {
  minLength: 1,
  maxLength: 100,
});

describe('token bucket', () => {
  it('never lets more through than rate, burst and one frame allow, in any stretch of time', () => {
    fc.assert(
      fc.property(rate, frames, (rate, frames) => {
        let now = 5_000;
        let bucket = fullBucket(rate, now);
        const passed: { at: number; count: number }[] = [];
        for (const { count, pauseMs } of frames) {
          now += pauseMs;
          now += waitMs(bucket, rate, now);
          assert.equal(waitMs(bucket, rate, now), 0, 'the wait it asked for was not enough');
          bucket = take(bucket, rate, { now, count });
          passed.push({ at: now, count });
        }
        for (let from = 0; from < passed.length; from += 7) {
          let sum = 0;
          for (const { at, count } of passed.slice(from)) {
            const elapsedS = (at - (passed[from]?.at ?? 0)) / 1000;
            // What had passed before this one is bounded by the tokens; this one may go into debt as a whole.
            assert.ok(sum <= rate.perSecond * elapsedS + rate.burst + 1e-6 * (1 + sum), `${sum} in ${elapsedS} s`);
            sum += count;
          }
        }
      }),
    );
  });

  it('does not make anybody wait who stays below the rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), (perSecond) => {
        const rate = { perSecond, burst: 1 };
        let now = 0;
        let bucket = fullBucket(rate, now);
        for (let n = 0; n < 50; n += 1) {
          assert.equal(waitMs(bucket, rate, now), 0);
          bucket = take(bucket, rate, { now, count: 1 });
          now += Math.ceil(1000 / perSecond) + 1;
        }
      }),
    );
  });

  it('goes into debt by a whole frame, and is waited for until one token is there', () => {
    const rate = { perSecond: 100, burst: 10 };
    const bucket = take(fullBucket(rate, 0), rate, { now: 0, count: 110 });
    assert.equal(bucket.tokens, -100);
    assert.equal(waitMs(bucket, rate, 0), 1_010);
    assert.equal(waitMs(bucket, rate, 1_000), 10);
    assert.equal(waitMs(bucket, rate, 1_010), 0);
  });

  it('never holds more than its burst, and is not moved by a clock that runs backwards', () => {
    fc.assert(
      fc.property(rate, fc.integer({ min: -1e6, max: 1e9 }), (rate, elapsed) => {
        const empty = take(fullBucket(rate, 1_000), rate, { now: 1_000, count: rate.burst });
        const later = refill(empty, rate, 1_000 + elapsed);
        assert.ok(later.tokens >= 0 && later.tokens <= rate.burst);
        assert.ok(later.at >= 1_000);
      }),
    );
  });
});
