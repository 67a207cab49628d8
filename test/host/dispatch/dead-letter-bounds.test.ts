/** How many dead letters are kept: the same bounds in memory and in a file. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { bytesOf } from '../../../host/dispatch/delivery.ts';
import type { OutboxEvents } from '../../../host/dispatch/events.ts';
import { MemoryOutbox } from '../../../host/dispatch/memory-outbox.ts';
import { DEAD_LETTER_BOUNDS, type DeadLetterBounds, type Outbox } from '../../../host/dispatch/outbox.ts';
import { OutboxFile } from '../../../host/dispatch/outbox-file.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { ALL } from './dispatch-rig.ts';
import { breakFile, DEAD, delivery, openOutbox } from './outbox-support.ts';

interface Given {
  readonly outbox: Outbox;
  readonly clock: FakeClock;
  readonly forgotten: OutboxEvents['dead-letters:forgotten'][];
  /** Numbers of those that are kept, newest first. */
  kept(): Promise<number[]>;
}

type Open = (t: TestContext, bounds: Partial<DeadLetterBounds>) => Promise<Given>;

async function watch(outbox: Outbox, clock: FakeClock): Promise<Given> {
  const forgotten: Given['forgotten'][number][] = [];
  outbox.events.on('dead-letters:forgotten', (each) => forgotten.push(each));
  const kept = async (): Promise<number[]> =>
    (await outbox.deadLetters(ALL)).map(({ messageId }) => Number(messageId.slice('message-'.length)));
  return { outbox, clock, forgotten, kept };
}

const PLACES: Readonly<Record<string, Open>> = {
  async 'in memory'(_, bounds) {
    const clock = new FakeClock();
    return watch(new MemoryOutbox({ clock, deadLetters: { ...DEAD_LETTER_BOUNDS, ...bounds } }), clock);
  },
  async 'in a file'(t, bounds) {
    const clock = new FakeClock();
    const deadLetters = { ...DEAD_LETTER_BOUNDS, ...bounds };
    const { outbox } = await openOutbox(t, tempDir(t), { clock, deadLetters });
    return watch(outbox, clock);
  },
};

for (const [where, open] of Object.entries(PLACES)) {
  describe(`dead letters ${where} are bounded`, () => {
    it('in number: the one that died first is forgotten, and that is told', async (t) => {
      const { outbox, kept, forgotten } = await open(t, { maxCount: 2 });
      for (const n of [1, 2, 3, 4]) await outbox.bury(delivery(n, DEAD));
      assert.deepEqual(await kept(), [4, 3]);
      assert.equal(outbox.deadLetterCount, 2);
      assert.deepEqual(forgotten, [
        { count: 1, why: 'size' },
        { count: 1, why: 'size' },
      ]);
    });

    it('in bytes, but the newest is kept whatever its size', async (t) => {
      const large = (n: number, length: number) => delivery(n, DEAD, { prompt: 'x'.repeat(length) });
      const { outbox, kept } = await open(t, { maxBytes: bytesOf(large(1, 1_000)) * 2 });
      for (const n of [1, 2, 3]) await outbox.bury(large(n, 1_000));
      assert.deepEqual(await kept(), [3, 2]);
      await outbox.bury(large(4, 100_000));
      assert.deepEqual(await kept(), [4]);
      await outbox.bury(large(5, 1_000));
      assert.deepEqual(await kept(), [5]);
    });

    it('in age, also while nothing else happens', async (t) => {
      const { outbox, clock, kept, forgotten } = await open(t, { maxAgeMs: 60_000 });
      await outbox.bury(delivery(1, DEAD));
      await clock.advance(30_000);
      await outbox.bury(delivery(2, DEAD));
      await clock.advance(29_000);
      assert.deepEqual(await kept(), [2, 1]);
      await clock.advance(12_000);
      await settle();
      assert.deepEqual(await kept(), [2]);
      assert.equal(outbox.deadLetterCount, 1);
      assert.deepEqual(forgotten, [{ count: 1, why: 'age' }]);
      await clock.advance(60_000);
      await settle();
      assert.deepEqual(await kept(), []);
    });

    it('in what they take up after some were taken out', async (t) => {
      const { outbox, kept } = await open(t, { maxBytes: bytesOf(delivery(1)) * 2 });
      await outbox.bury(delivery(1, DEAD));
      await outbox.bury(delivery(2, DEAD));
      await outbox.revive(delivery(2));
      await outbox.discard('message-1');
      await outbox.discard('message-1');
      await outbox.bury(delivery(3, DEAD));
      await outbox.bury(delivery(4, DEAD));
      await outbox.bury(delivery(4, DEAD));
      assert.deepEqual(await kept(), [4, 3]);
      assert.deepEqual([outbox.deadLetterCount, outbox.size], [2, 1]);
    });
  });
}

describe('dead letters in a file', () => {
  it('are counted right after a transaction that failed', async (t) => {
    const { outbox } = await openOutbox(t, tempDir(t));
    await outbox.bury(delivery(1, DEAD));
    const file = breakFile(t);
    const waiting = outbox.bury(delivery(2, DEAD));
    await settle();
    file.mend();
    await waiting;
    assert.equal(outbox.deadLetterCount, 2);
    // Inside the file: a write that is itself at fault undoes the others of its transaction, which are then done one by one.
    const broken = { ...delivery(3, DEAD), messageId: Number.NaN as unknown as string };
    await Promise.allSettled([outbox.bury(delivery(4, DEAD)), outbox.bury(broken), outbox.discard('message-1')]);
    assert.equal(outbox.deadLetterCount, 2);
  });

  it('over a bound that has become smaller are forgotten soon after the start', async (t) => {
    const directory = tempDir(t);
    const first = await openOutbox(t, directory);
    for (const n of [1, 2, 3]) await first.outbox.bury(delivery(n, DEAD));
    await first.close();
    const clock = new FakeClock();
    const deadLetters = { ...DEAD_LETTER_BOUNDS, maxCount: 1 };
    const second = await openOutbox(t, directory, { clock, deadLetters });
    await clock.advance(10_000);
    await settle();
    assert.equal(second.outbox.deadLetterCount, 1);
  });

  it('cost no write while there is nothing to forget', async (t) => {
    const clock = new FakeClock();
    const { outbox } = await openOutbox(t, tempDir(t), { clock });
    await outbox.bury(delivery(1, DEAD));
    const commits = t.mock.method(OutboxFile.prototype, 'commit');
    await clock.advance(600_000);
    assert.equal(commits.mock.callCount(), 0);
  });
});
