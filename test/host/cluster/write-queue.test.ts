import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WriteQueue } from '../../../host/cluster/write-queue.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function open(ms = 0) {
  const clock = new FakeClock();
  const ran: string[] = [];
  let underWay = 0;
  let peak = 0;
  const queue = new WriteQueue<string>({
    clock,
    run: async (item) => {
      ran.push(item);
      underWay += 1;
      peak = Math.max(peak, underWay);
      if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
      underWay -= 1;
    },
  });
  return { clock, queue, ran, peak: () => peak };
}

describe('write queue', () => {
  it('runs what is urgent first, each in the order in which it came', async () => {
    const { clock, queue, ran } = open(10);
    for (let n = 0; n < 8; n += 1) queue.add(`first-${n}`, false);
    queue.add('ordinary', false);
    queue.add('urgent', true);
    queue.add('promoted', false);
    queue.add('promoted', true);
    queue.add('removed', true);
    queue.remove('removed');
    await clock.advance(100);
    assert.deepEqual(ran.slice(8), ['urgent', 'promoted', 'ordinary']);
  });

  it('keeps to a few at a time', async () => {
    const { clock, queue, peak, ran } = open(10);
    for (let n = 0; n < 100; n += 1) queue.add(`${n}`, true);
    await clock.advance(1_000);
    assert.deepEqual([peak(), ran.length], [8, 100]);
  });

  it('keeps to its budgets, and lets a burst of what is urgent begin at once', async () => {
    const { clock, queue, ran } = open(1);
    for (let n = 0; n < 1_000; n += 1) queue.add(`urgent-${n}`, true);
    for (let n = 0; n < 1_000; n += 1) queue.add(`ordinary-${n}`, false);
    await clock.advance(200);
    const counts = (): number[] => ['u', 'o'].map((kind) => ran.filter((item) => item.startsWith(kind)).length);
    assert.ok((counts()[0] ?? 0) >= 200, String(counts()));
    await clock.advance(9_800);
    const [urgent = 0, ordinary = 0] = counts();
    assert.ok(urgent <= 601 && ordinary <= 151, `${urgent} urgent, ${ordinary} ordinary in 10 s`);
    await clock.advance(200_000);
    assert.deepEqual(counts(), [1_000, 1_000]);
    assert.equal(clock.pending, 0);
  });
});
