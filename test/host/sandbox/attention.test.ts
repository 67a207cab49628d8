import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Attention } from '../../../host/sandbox/attention.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('attention', () => {
  it('lets one that talks at its own bound be heard all the time', async () => {
    const clock = new FakeClock();
    const share = new Attention(clock).share();
    for (let at = 0; at < 5_000; at += 10) {
      share.spend(2);
      assert.equal(share.restMs(), 0);
      await clock.advance(10);
    }
  });

  it('holds all together to a quarter of the time, and never makes the one that says little wait', async () => {
    const clock = new FakeClock();
    const attention = new Attention(clock);
    const loud = Array.from({ length: 10 }, () => ({ share: attention.share(), restUntil: 0, spent: 0 }));
    const quiet = attention.share();
    for (let at = 0; at < 10_000; at += 5) {
      for (const one of loud) {
        if (at < one.restUntil) continue;
        one.share.spend(5);
        one.spent += 5;
        one.restUntil = at + one.share.restMs();
      }
      if (at % 100 === 0) {
        quiet.spend(0.5);
        assert.equal(quiet.restMs(), 0);
      }
      await clock.advance(5);
    }
    const spent = loud.reduce((sum, one) => sum + one.spent, 0);
    assert.ok(spent > 2_000 && spent < 4_000, `${spent} ms of 10 s`);
    assert.ok(
      loud.every((one) => one.spent > 100),
      'each has its turn',
    );
  });

  it('makes nobody wait for longer than half a second', () => {
    const share = new Attention(new FakeClock()).share();
    share.spend(60_000);
    assert.equal(share.restMs(), 500);
  });
});
