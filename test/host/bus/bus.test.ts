import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settle } from '../../support/fake-clock.ts';
import { BusBench, turn, UNLIMITED } from './bus-bench.ts';

describe('bus', () => {
  it('lets a plugin with a thousand queued frames delay the first frame of another by at most its slots', async () => {
    for (const slots of [1, 2, 4]) {
      const bench = new BusBench({ slots });
      const [busy, also, quiet] = [bench.source('busy'), bench.source('also'), bench.source('quiet')];
      for (let n = 0; n < 1_000; n += 1) {
        busy.send(1);
        also.send(1);
      }
      await turn();
      const before = bench.order.length;
      quiet.send(1);
      for (let position = 0; !bench.order.includes('quiet'); position += 1) {
        bench.work[position]?.finish();
        await turn();
      }
      const waited = bench.order.indexOf('quiet') - before;
      assert.ok(waited <= Math.max(slots, 2), `waited for ${waited} frames with ${slots} slots`);
      bench.bus.abandon('shutdown');
      for (const work of bench.work) work.finish();
      await bench.bus.drain();
    }
  });

  it('gives plugins their turns one after the other', async () => {
    const bench = new BusBench({ slots: 1 });
    const sources = ['-', 'a', 'b', 'c'].map((name) => bench.source(name));
    for (const source of sources) for (let n = 0; n < 3; n += 1) source.send(1);
    for (let position = 0; position < 12; position += 1) {
      bench.work[position]?.finish();
      await turn();
    }
    assert.equal(bench.order.join(''), '--abc-abcabc');
  });

  it('lets the next frame of a plugin follow when one is judged, before it is acknowledged', async () => {
    const bench = new BusBench();
    const source = bench.source('a');
    source.send(1);
    source.send(1);
    await turn();
    assert.equal(bench.work.length, 1);
    bench.work[0]?.judged();
    bench.work[0]?.judged();
    await turn();
    assert.deepEqual([bench.work.length, source.acks.length], [2, 0]);
    bench.work[1]?.finish();
    bench.work[0]?.finish([{ index: 0, code: 'EVENT_ERR_INVALID', message: 'm' }]);
    await turn();
    assert.deepEqual(
      source.acks.map(({ sequence, refusals }) => [sequence, refusals.length]),
      [
        [1, 0],
        [0, 1],
      ],
    );
  });

  it('waits for the rate limit, says so once, and then goes on', async () => {
    const bench = new BusBench();
    const throttled: number[] = [];
    bench.bus.on('frame:throttled', ({ waitMs }) => throttled.push(waitMs));
    const source = bench.source('a', { eventsPerSecond: 100, burst: 10, whenFull: 'block' });
    source.send(110);
    source.send(1);
    await turn();
    bench.work[0]?.finish();
    await turn();
    source.send(1);
    assert.deepEqual([bench.work.length, throttled], [1, [1_010]]);
    await bench.clock.advance(1_009);
    assert.equal(bench.work.length, 1);
    await bench.clock.advance(1);
    assert.equal(bench.work.length, 2);
    bench.bus.abandon('shutdown');
    bench.work[1]?.finish();
    await bench.bus.drain();
    assert.deepEqual([throttled.length, bench.clock.pending], [1, 0]);
  });

  it('does not let one plugin in debt hold back another', async () => {
    const bench = new BusBench({ slots: 1 });
    const slow = bench.source('slow', { eventsPerSecond: 1, burst: 1, whenFull: 'block' });
    slow.send(100);
    await turn();
    bench.work[0]?.finish();
    slow.send(1);
    bench.source('quick').send(1);
    await turn();
    assert.deepEqual(bench.order, ['slow', 'quick']);
    bench.work[1]?.finish();
    bench.bus.abandon('shutdown');
    await bench.bus.drain();
    assert.equal(bench.clock.pending, 0);
  });

  it('obeys a new rate limit at once, though the old one made the plugin wait for long', async () => {
    const bench = new BusBench();
    const old = bench.source('a', { eventsPerSecond: 1, burst: 1, whenFull: 'block' });
    old.send(200);
    await turn();
    bench.work[0]?.finish();
    await turn();
    old.send(1);
    old.inlet.close();
    // The same plugin, restarted with a configuration that is more generous.
    bench.source('a', { eventsPerSecond: 10_000, burst: 10_000, whenFull: 'block' }).send(1);
    await bench.clock.advance(100);
    assert.equal(bench.work.length, 2);
    bench.work[1]?.finish();
    await turn();
    assert.equal(bench.work.length, 3);
    bench.work[2]?.finish();
    await bench.bus.drain();
    assert.equal(bench.clock.pending, 0);
  });

  it('drop_newest: drops what is over the rate with its reason, and refuses its events in the ack', async () => {
    const bench = new BusBench();
    const dropped: string[] = [];
    bench.bus.on('frame:dropped', ({ events, reason }) => dropped.push(`${events} ${reason}`));
    const source = bench.source('a', { eventsPerSecond: 10, burst: 5, whenFull: 'drop_newest' });
    source.send(5);
    source.send(3);
    assert.deepEqual(dropped, ['3 rate_limited']);
    const [ack] = source.acks;
    assert.deepEqual(
      [ack?.sequence, ack?.events, ack?.refusals.map(({ index, code }) => [index, code])],
      [1, 3, [0, 1, 2].map((index) => [index, 'EVENT_ERR_DROPPED'])],
    );
    await bench.clock.advance(1_000);
    source.send(1);
    await turn();
    for (const work of bench.work) work.finish();
    await turn();
    for (const work of bench.work) work.finish();
    await bench.bus.drain();
    const { outcomes, residual } = bench.ledger.counts;
    assert.deepEqual([outcomes.dropped, outcomes.unmatched, residual, bench.clock.pending], [3, 6, 0, 0]);
    const step = bench.ledger.find('a-r-1-5');
    assert.deepEqual(
      step?.frame.steps(step.index).map(({ step, detail }) => `${step} ${detail}`),
      ['dropped rate_limited'],
    );
  });

  it('drop_newest: drops when the queue is full', async () => {
    const bench = new BusBench({ credit: { events: 100, bytes: 1_000_000 } });
    const reasons: string[] = [];
    bench.bus.on('frame:dropped', ({ reason }) => reasons.push(reason));
    const source = bench.source('a', { ...UNLIMITED, whenFull: 'drop_newest' });
    for (let n = 0; n < 8; n += 1) source.send(10);
    assert.deepEqual(reasons, ['queue_full', 'queue_full']);
    bench.bus.abandon('shutdown');
    bench.work[0]?.finish();
    await bench.bus.drain();
    assert.equal(bench.ledger.counts.outcomes.dropped, 70);
  });

  it('abandon: drops what is queued with its reason, leaves what is in the matcher, and no timers', async () => {
    const bench = new BusBench({ slots: 1 });
    const source = bench.source('a');
    for (let n = 0; n < 4; n += 1) source.send(2);
    const owing = bench.source('b', { eventsPerSecond: 1, burst: 1, whenFull: 'block' });
    owing.send(9);
    await turn();
    bench.bus.abandon('shutdown');
    assert.equal(bench.ledger.counts.outcomes.dropped, 6 + 9);
    assert.deepEqual(
      source.acks.map(({ sequence, refusals }) => [sequence, refusals.length]),
      [1, 2, 3].map((sequence) => [sequence, 2]),
    );
    let isDrained = false;
    const drained = bench.bus.drain().then(() => {
      isDrained = true;
    });
    await settle();
    assert.equal(isDrained, false);
    bench.work[0]?.finish();
    await drained;
    assert.equal(bench.clock.pending, 0);
    await bench.bus.drain();
  });

  const broken: Record<string, () => Promise<never>> = {
    rejects: async () => {
      throw new Error('no matcher');
    },
    'throws at once': () => {
      throw new Error('no matcher');
    },
    'rejects with nothing': () => Promise.reject(undefined),
  };
  for (const [name, consume] of Object.entries(broken)) {
    it(`makes the events of a frame invalid and refuses them when the consumer ${name}, and goes on`, async () => {
      const bench = new BusBench({ slots: 1, consume });
      const failed: string[] = [];
      bench.bus.on('frame:failed', ({ plugin, events, error }) => failed.push(`${plugin} ${events} ${error}`));
      const source = bench.source('a');
      source.send(3);
      source.send(2);
      await bench.bus.drain();
      const why = name === 'rejects with nothing' ? 'undefined' : 'no matcher';
      assert.deepEqual(failed, [`a 3 ${why}`, `a 2 ${why}`]);
      assert.deepEqual(
        source.acks.map(({ events, refusals }) => [events, refusals.length, refusals[0]?.code]),
        [
          [3, 3, 'EVENT_ERR_INVALID'],
          [2, 2, 'EVENT_ERR_INVALID'],
        ],
      );
      assert.match(source.acks[0]?.refusals[0]?.message ?? '', new RegExp(`could not be judged: ${why}`));
      const { outcomes, residual } = bench.ledger.counts;
      assert.deepEqual([outcomes.invalid, residual, bench.clock.pending], [5, 0, 0]);
    });
  }

  it('survives a consumer that judges at once, over a long queue', async () => {
    let judgedFrames = 0;
    const bench = new BusBench({
      slots: 1,
      consume: async ({ entry }, judged) => {
        entry.settleAll(() => 'unmatched');
        judgedFrames += 1;
        judged();
        return [];
      },
    });
    const source = bench.source('a', { eventsPerSecond: 1_000, burst: 1, whenFull: 'block' });
    for (let n = 0; n < 50; n += 1) source.send(1);
    await bench.clock.advance(1_000);
    await bench.bus.drain();
    assert.deepEqual([judgedFrames, bench.ledger.counts.residual, bench.clock.pending], [50, 0, 0]);
  });

  it('counts the events of each type, and the time from arrival to ack', async () => {
    const bench = new BusBench();
    const said: unknown[] = [];
    bench.bus.on('frame:received', ({ plugin, types }) => said.push([plugin, Object.fromEntries(types)]));
    bench.bus.on('frame:done', ({ events, durationMs }) => said.push([events, durationMs]));
    bench.source('a').send(4);
    await bench.clock.advance(40);
    bench.work[0]?.finish();
    await bench.bus.drain();
    assert.deepEqual(said, [
      ['a', { happened: 4 }],
      [4, 40],
    ]);
  });

  it('forgets the lane of a plugin that is gone, at once or when its queue is empty', async () => {
    const bench = new BusBench();
    const source = bench.source('a');
    source.send(2);
    source.send(3);
    await turn();
    bench.bus.forget('a');
    assert.equal(bench.bus.queued.get('a'), 3);
    bench.work[0]?.finish();
    await turn();
    bench.work[1]?.finish();
    await bench.bus.drain();
    assert.deepEqual([...bench.bus.queued.keys()], []);
    bench.bus.forget('a');
    bench.bus.forget('never seen');
  });
});
