/** The bus under random arrivals, verdicts, failures and pauses: what must hold at every moment. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { RateLimit } from '../../../host/config/permissions.ts';
import { BusBench, type Source, turn, UNLIMITED, type Work } from './bus-bench.ts';

type Step =
  | { readonly do: 'send'; readonly source: number; readonly count: number }
  | { readonly do: 'judge' | 'finish' | 'fail'; readonly pick: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'abandon' }
  | { readonly do: 'close'; readonly source: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      source: fc.nat(2),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('judge' as const, 'finish' as const), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'abandon' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), source: fc.nat(2) }) },
);

const LIMITS: readonly RateLimit[] = [
  UNLIMITED,
  { eventsPerSecond: 100, burst: 20, whenFull: 'block' },
  { eventsPerSecond: 50, burst: 20, whenFull: 'drop_newest' },
];

describe('bus model', () => {
  it('keeps the order of each plugin and answers every frame once, whatever the consumer does and when', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, slots) => {
        const bench = new BusBench({ slots });
        const sources: Source[] = ['a', 'b', 'c'].map((name, n) => bench.source(name, LIMITS[n]));
        const sent = [0, 0, 0];
        const closed = new Set<number>();
        const inMatcher = new Set<Work>();
        const ended = new Set<Work>();
        let seen = 0;
        const check = (): void => {
          for (const work of bench.work.slice(seen)) inMatcher.add(work);
          seen = bench.work.length;
          const plugins = [...inMatcher].map((work) => work.plugin);
          assert.ok(plugins.length <= slots, 'more frames in the matcher than slots');
          assert.equal(new Set(plugins).size, plugins.length, 'two frames of one plugin in the matcher');
          assert.equal(bench.ledger.counts.residual, 0);
        };
        for (const step of steps) {
          const live = bench.work.filter((work) => !ended.has(work));
          if (step.do === 'send') {
            if (!closed.has(step.source)) sent[step.source] = (sent[step.source] ?? 0) + 1;
            assert.equal(sources[step.source]?.send(step.count), null);
          } else if (step.do === 'pass') await bench.clock.advance(step.ms);
          else if (step.do === 'abandon') bench.bus.abandon('shutdown');
          else if (step.do === 'close') {
            sources[step.source]?.inlet.close();
            closed.add(step.source);
          } else if (live.length > 0) {
            const work = live[step.pick % live.length];
            if (work === undefined) continue;
            inMatcher.delete(work);
            if (step.do === 'judge') work.judged();
            else {
              ended.add(work);
              if (step.do === 'finish') work.finish();
              else work.fail(new Error('the pool is gone'));
            }
          }
          await turn();
          check();
        }
        for (let round = 0; bench.ledger.counts.inFlight > 0; round += 1) {
          assert.ok(round < 10_000, 'frames are stuck');
          for (const work of bench.work.filter((work) => !ended.has(work))) {
            ended.add(work);
            inMatcher.delete(work);
            work.finish();
          }
          await bench.clock.advance(1_000);
          check();
        }
        await bench.bus.drain();
        for (const [n, source] of sources.entries()) {
          const numbers = bench.work.flatMap(({ plugin, frame }) =>
            plugin === 'abc'[n] ? [frame.entry.frame.sequence] : [],
          );
          assert.deepEqual(
            numbers,
            numbers.toSorted((a, b) => a - b),
          );
          const acked = source.acks.map(({ sequence }) => sequence);
          assert.equal(new Set(acked).size, acked.length);
          if (!closed.has(n)) assert.equal(acked.length, sent[n]);
        }
        assert.equal(bench.ledger.counts.residual, 0);
        assert.equal(
          [...bench.bus.queued.values()].reduce((a, b) => a + b, 0),
          0,
        );
        assert.equal(bench.clock.pending, 0);
      }),
      { numRuns: 80 },
    );
  });
});
