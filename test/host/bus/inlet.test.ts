import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventId } from '../../../ipc/event.ts';
import { frameOf } from '../../support/frames.ts';
import { BusBench, turn } from './bus-bench.ts';

const CREDIT = { events: 10, bytes: 1_000 };

describe('inlet', () => {
  it('numbers the events of a generation and gives the credit back with the ack', async () => {
    const bench = new BusBench({ credit: CREDIT });
    const source = bench.source('a');
    for (let round = 0; round < 5; round += 1) {
      assert.equal(source.send(6), null);
      assert.equal(source.send(4), null);
      for (let position = 2 * round; position < 2 * round + 2; position += 1) {
        await turn();
        bench.work[position]?.finish();
      }
      await turn();
    }
    assert.deepEqual(
      bench.work.map(({ frame }) => frame.entry.id(0)),
      [0, 6, 10, 16, 20, 26, 30, 36, 40, 46].map((ordinal) => eventId('a-r-1', ordinal)),
    );
    assert.equal(source.acks.length, 10);
    assert.deepEqual(source.acks[0], { kind: 'ack', sequence: 0, refusals: [], events: 6, bytes: 6 * 3 });
  });

  it('takes nothing beyond the credit in events', () => {
    const bench = new BusBench({ credit: CREDIT });
    const source = bench.source('a');
    assert.equal(source.send(10), null);
    assert.match(source.send(1) ?? '', /credit/);
    assert.equal(bench.ledger.counts.received, 10);
  });

  it('takes at most one event beyond the credit in bytes', () => {
    const bench = new BusBench({ credit: CREDIT });
    const largest = 'x'.repeat(64 * 1024);
    const { inlet } = bench.source('a');
    assert.equal(inlet.accept(frameOf(1, { line: 'x'.repeat(998) })), null);
    assert.equal(inlet.accept(frameOf(1, { sequence: 1, line: largest })), null);
    assert.match(inlet.accept(frameOf(1, { sequence: 2, line: '{}' })) ?? '', /credit/);
  });

  it('takes frames in their order only: none twice, none left out', () => {
    for (const sequence of [1, 7]) {
      const { inlet } = new BusBench({ credit: CREDIT }).source('a');
      assert.match(inlet.accept(frameOf(1, { sequence })) ?? '', /where frame 0 was due/);
    }
    const bench = new BusBench({ credit: CREDIT });
    const { inlet } = bench.source('a');
    assert.equal(inlet.accept(frameOf(1)), null);
    assert.match(inlet.accept(frameOf(1)) ?? '', /frame 0 where frame 1 was due/);
    assert.equal(bench.ledger.counts.received, 1);
  });

  it('takes nothing and answers nothing after it is closed, but what was taken is settled', async () => {
    const bench = new BusBench({ credit: CREDIT });
    const source = bench.source('a');
    source.send(3);
    source.inlet.close();
    assert.equal(source.send(3), null);
    await turn();
    bench.work[0]?.finish();
    await bench.bus.drain();
    const { received, outcomes, inFlight } = bench.ledger.counts;
    assert.deepEqual([received, outcomes.unmatched, inFlight, source.replies], [3, 3, 0, []]);
  });
});
