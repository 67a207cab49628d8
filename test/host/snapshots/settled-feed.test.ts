import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ledger } from '../../../host/ledger/ledger.ts';
import type { LedgerFrame } from '../../../host/ledger/ledger-frame.ts';
import { type FeedListener, SettledFeed } from '../../../host/snapshots/settled-feed.ts';
import { settle } from '../../support/fake-clock.ts';
import { frameOf } from '../../support/frames.ts';

interface Heard extends FeedListener {
  readonly texts: string[];
  missed: number;
}

function listener(wants: FeedListener['wants'] = () => true): Heard {
  const heard: Heard = {
    texts: [],
    missed: 0,
    wants,
    push: (text) => heard.texts.push(text),
    miss: (count) => {
      heard.missed += count;
    },
  };
  return heard;
}

/** Writing can be held up, and can fail. */
class Rig {
  readonly ledger = new Ledger({ maxEvents: 100_000, maxBytes: 1_000_000_000 });
  readonly written: string[] = [];
  gate: Promise<void> = Promise.resolve();
  readonly feed = new SettledFeed({
    ledger: this.ledger,
    write: async (frame, indices) => {
      await this.gate;
      const texts = indices.map((index) => frame.id(index).split('-').slice(-1).join());
      this.written.push(...texts);
      return texts;
    },
  });
  #ordinal = 0;

  frame(count: number, plugin = 'p', line = '{}'): LedgerFrame {
    const origin = { plugin, idPrefix: `${plugin}-r-1`, firstOrdinal: this.#ordinal, receivedAt: 0 };
    this.#ordinal += count;
    return this.ledger.receive(frameOf(count, { line }), origin);
  }

  end(count: number, plugin?: string, line?: string): void {
    this.frame(count, plugin, line).settleAll(() => 'unmatched');
  }
}

describe('settled feed', () => {
  it('tells every event that ends while somebody listens, whenever it ends, and nothing before or after', async () => {
    const rig = new Rig();
    const heard = listener();
    rig.end(2);
    const stop = rig.feed.listen(heard);
    const entry = rig.frame(3);
    entry.settleAll((index) => (index < 2 ? 'unmatched' : null));
    await settle();
    assert.deepEqual(heard.texts, ['2', '3']);
    entry.settle(2, 'delivered');
    entry.settle(2, 'dropped');
    await settle();
    assert.deepEqual(heard.texts, ['2', '3', '4']);
    stop();
    rig.end(2);
    await settle();
    assert.deepEqual([heard.texts.length, heard.missed], [3, 0]);
  });

  it('gathers and writes nothing that nobody wants', async () => {
    const rig = new Rig();
    let asked = 0;
    const watched = rig.frame(2);
    watched.settleAll(() => 'unmatched');
    const stop = rig.feed.listen(
      listener(({ origin }) => {
        asked += 1;
        return origin.plugin === 'q';
      }),
    );
    rig.end(3);
    rig.end(2, 'q');
    await settle();
    assert.deepEqual(rig.written, ['5', '6']);
    stop();
    const before = asked;
    rig.end(5);
    await settle();
    assert.equal(asked, before);
  });

  it('writes an event once for all that want it', async () => {
    const rig = new Rig();
    const [all, some] = [listener(), listener((_, index) => index === 1)];
    rig.feed.listen(all);
    rig.feed.listen(some);
    rig.end(2);
    await settle();
    assert.deepEqual([all.texts, some.texts, rig.written], [['0', '1'], ['1'], ['0', '1']]);
  });

  it('tells who comes later nothing of what ended before, though it is not written yet', async () => {
    const rig = new Rig();
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.gate = promise;
    const [early, late] = [listener(), listener()];
    rig.feed.listen(early);
    rig.end(1);
    rig.end(1);
    rig.feed.listen(late);
    rig.end(1);
    resolve();
    await settle();
    assert.deepEqual([early.texts, late.texts], [['0', '1', '2'], ['2']]);
  });

  it('counts what it has no room for, in events and in bytes, and goes on with what comes later', async () => {
    for (const [events, line] of [
      [256, '{}'],
      [4, `"${'x'.repeat(60_000)}"`],
    ] as const) {
      const rig = new Rig();
      const { promise, resolve } = Promise.withResolvers<void>();
      rig.gate = promise;
      const heard = listener();
      rig.feed.listen(heard);
      for (let n = 0; n < 100; n += 1) rig.end(events, 'p', line);
      assert.ok(heard.missed > 0);
      resolve();
      await settle();
      assert.equal(heard.texts.length + heard.missed, 100 * events);
      assert.ok(heard.texts.length <= 10_000 && heard.texts.length * line.length < 9 * 1024 * 1024);
      const before = heard.texts.length;
      rig.end(1);
      await settle();
      assert.equal(heard.texts.length, before + 1);
    }
  });

  it('counts as missed what could not be written, for those who wanted it', async () => {
    const rig = new Rig();
    const [all, some] = [listener(), listener((_, index) => index === 0)];
    rig.feed.listen(all);
    rig.feed.listen(some);
    rig.gate = Promise.reject(new Error('the pool is busy'));
    rig.gate.catch(() => undefined);
    rig.end(3);
    await settle();
    assert.deepEqual([all.missed, some.missed, all.texts], [3, 1, []]);
    rig.gate = Promise.resolve();
    rig.end(1);
    await settle();
    assert.deepEqual(all.texts, ['3']);
  });
});
