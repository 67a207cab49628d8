import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FLOOD_LIMITS, judgeTraffic, NO_TRAFFIC, type Traffic } from '../../../host/sandbox/flood-policy.ts';

const QUIET: Traffic = { since: 0, ...NO_TRAFFIC };
const at = (now: number) => ({ limits: FLOOD_LIMITS, now, wire: 'events' });

describe('flood policy', () => {
  const floods = [
    [{ messages: 20_001 }, 'flooded its events wire: 20001 messages within a second, limit 20000'],
    [{ logRecords: 1_001 }, 'flooded its events wire: 1001 log lines within a second, limit 1000'],
    [{ metricRecords: 100_001 }, 'flooded its events wire: 100001 metric records within a second, limit 100000'],
    [{ busyMs: 301 }, 'flooded its events wire: it kept the host busy for 0.3 s within a second, limit 0.2 s'],
  ] as const;
  for (const [added, detail] of floods) {
    it(`finds too much: ${detail}`, () => {
      assert.deepEqual(judgeTraffic(QUIET, { ...NO_TRAFFIC, ...added }, at(10)).verdict, { reason: 'flood', detail });
    });
  }

  it('counts anew in each second', () => {
    const first = judgeTraffic(QUIET, { ...NO_TRAFFIC, messages: 15_000 }, at(900));
    assert.equal(judgeTraffic(first.traffic, { ...NO_TRAFFIC, messages: 15_000 }, at(950)).verdict?.reason, 'flood');
    assert.equal(judgeTraffic(first.traffic, { ...NO_TRAFFIC, messages: 15_000 }, at(1_000)).verdict, null);
  });

  it('finds whoever says more than the limit within one second, in whatever portions', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 50 }), (portions) => {
        let traffic = QUIET;
        let total = 0;
        for (const messages of portions) {
          total += messages;
          const judgement = judgeTraffic(traffic, { ...NO_TRAFFIC, messages }, at(500));
          traffic = judgement.traffic;
          assert.equal(judgement.verdict !== null, total > FLOOD_LIMITS.messages);
        }
      }),
    );
  });
});
