import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CpuReading, judgeCpu } from '../../../host/sandbox/cpu-policy.ts';
import type { Verdict } from '../../../host/sandbox/verdict.ts';

const LIMITS = { cpuShare: 0.85 };
const EVERY_MS = 200;

/** The first verdict over a thread that is busy in these spans of time (ms), read every 200 ms for 30 s. */
function over(spans: readonly (readonly [from: number, to: number])[], limits = LIMITS): Verdict | null {
  const busyUntil = (at: number): number =>
    spans.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(at, to) - from), 0);
  const history: CpuReading[] = [];
  for (let at = 0; at <= 30_000; at += EVERY_MS) {
    const reading = { at, cpuSeconds: busyUntil(at) / 1_000 };
    const verdict = judgeCpu(history, reading, { limits });
    if (verdict !== null) return verdict;
    history.push(reading);
  }
  return null;
}

function duty(share: number, periodMs: number): [number, number][] {
  return Array.from({ length: Math.ceil(30_000 / periodMs) }, (_, n) => [n * periodMs, (n + share) * periodMs]);
}

describe('cpu policy', () => {
  it('finds a loop that spins', () => {
    assert.deepEqual(over([[1_000, 30_000]]), { reason: 'hang', detail: 'used 87 % of a core for 3 s, limit 85 %' });
    assert.deepEqual(over([[0, 30_000]]), { reason: 'hang', detail: 'used 100 % of a core for 3 s, limit 85 %' });
  });

  it('has nothing against a limit of a whole core', () => assert.equal(over([[0, 30_000]], { cpuShare: 1 }), null));

  it('judges nothing before it has looked for as long as its window', () => {
    assert.equal(judgeCpu([{ at: 0, cpuSeconds: 0 }], { at: 2_900, cpuSeconds: 2.9 }, { limits: LIMITS }), null);
  });

  it('leaves bursts and moderate work alone, however they fall', () => {
    assert.equal(over([[4_321, 4_721]]), null);
    assert.equal(over([[4_321, 6_721]]), null);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.7, noNaN: true }),
        fc.integer({ min: 10, max: 1_000 }),
        (share, periodMs) => {
          assert.equal(over(duty(share, periodMs)), null);
        },
      ),
    );
  });

  it('finds sustained work over the limit within two windows', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.9, max: 1, noNaN: true }),
        fc.integer({ min: 10, max: 300 }),
        (share, periodMs) => {
          assert.notEqual(over(duty(share, periodMs).filter(([from]) => from < 7_000)), null);
        },
      ),
    );
  });
});
