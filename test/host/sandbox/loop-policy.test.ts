import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judgeLoop, silenceMs } from '../../../host/sandbox/loop-policy.ts';

const LIMITS = { hangTimeoutMs: 2_000 };

describe('loop policy', () => {
  it('finds a loop that stood still for longer than its limit', () => {
    assert.deepEqual(judgeLoop({ unansweredSince: 1_000, hasAnswered: true }, { limits: LIMITS, now: 3_100 }), {
      reason: 'hang',
      detail: 'its event loop stood still for 2.1 s, limit 2 s',
    });
  });

  const healthy = [
    ['an answer', { unansweredSince: null, hasAnswered: true }, 90_000],
    ['a silence as long as the limit', { unansweredSince: 1_000, hasAnswered: true }, 3_000],
    ['a thread that is still starting', { unansweredSince: 1_000, hasAnswered: false }, 90_000],
  ] as const;
  for (const [name, reading, now] of healthy) {
    it(`leaves ${name} alone`, () => assert.equal(judgeLoop(reading, { limits: LIMITS, now }), null));
  }

  it('holds as long a silence as the limit says against a plugin, and no shorter one', () => {
    const ms = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 10, max: 60_000 }), (unansweredSince, now, hangTimeoutMs) => {
        const reading = { unansweredSince, hasAnswered: true };
        const verdict = judgeLoop(reading, { limits: { hangTimeoutMs }, now });
        assert.equal(verdict !== null, now - unansweredSince > hangTimeoutMs);
        assert.ok(silenceMs(reading, now) >= 0);
      }),
    );
  });
});
