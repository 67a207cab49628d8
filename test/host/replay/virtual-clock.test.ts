import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { VirtualClock } from '../../../host/replay/virtual-clock.ts';

describe('virtual clock', () => {
  it('does what is due in its order, at its time, and what was asked for first first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 30 }), async (delays) => {
        const clock = new VirtualClock();
        await clock.advanceTo(1_000);
        const done: (readonly [number, number])[] = [];
        for (const [n, ms] of delays.entries()) clock.after(ms, () => done.push([clock.now(), n]));
        await clock.advanceTo(1_025);
        const due = delays.map((ms, n) => [1_000 + ms, n] as const).filter(([at]) => at <= 1_025);
        assert.deepEqual(
          done,
          due.toSorted(([a, n], [b, m]) => a - b || n - m),
        );
        assert.equal(clock.now(), 1_025);
      }),
      { numRuns: 50 },
    );
  });

  it('lets everything follow from what was due before time goes on', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const follow = async (): Promise<void> => {
      for (let n = 0; n < 50; n += 1) await null;
      clock.after(5, () => seen.push(clock.now()));
    };
    clock.after(10, () => void follow());
    await clock.advanceTo(100);
    assert.deepEqual(seen, [15]);
  });

  it('never goes backwards, and forgets what is cancelled', async () => {
    const clock = new VirtualClock();
    await clock.advanceTo(50);
    const timer = clock.after(10, () => assert.fail('it was cancelled'));
    timer.cancel();
    timer.cancel();
    await clock.advanceTo(40);
    assert.equal(clock.wall(), 50);
    await clock.advanceTo(100);
  });

  it('repeats what is to be repeated until that is cancelled', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const timer = clock.every(10, () => seen.push(clock.now()));
    await clock.advanceTo(35);
    timer.cancel();
    await clock.advanceTo(100);
    assert.deepEqual(seen, [10, 20, 30]);
  });
});
