import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EndingSigns, mayEnd, settled } from '../../../host/sandbox/thread-end.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const TOLD: EndingSigns = { isParked: false, cpuSeconds: 1, idleMs: 100 };
const ends = (now: Partial<EndingSigns>, elapsedMs: number, idleStepMs = 0): boolean =>
  mayEnd(TOLD, { now: { ...TOLD, ...now }, idleStepMs, elapsedMs });

describe('the end of a thread', () => {
  it('comes when it has parked, or has nothing to do', () => {
    assert.equal(ends({ isParked: true }, 5), true);
    assert.equal(ends({}, 5, 5), true);
    assert.equal(ends({}, 5, 3), false, 'it may just have begun again');
  });

  it('is not hurried because no core is free', () => {
    assert.equal(ends({}, 1_500), false);
    assert.equal(ends({ cpuSeconds: 1.04 }, 1_500), false);
  });

  it('comes when it has worked for a while without parking, or when nothing tells', () => {
    assert.equal(ends({ cpuSeconds: 1.05 }, 60), true);
    assert.equal(ends({}, 2_000), true);
  });

  it('comes after a moment where its CPU time cannot be told', () => {
    assert.equal(ends({ cpuSeconds: null }, 95), false);
    assert.equal(ends({ cpuSeconds: null }, 100), true);
  });

  it('is looked for again and again, for two seconds at most', async () => {
    const clock = new FakeClock();
    let looks = 0;
    const look = (): EndingSigns => {
      looks += 1;
      return { ...TOLD, isParked: looks > 3 };
    };
    const parked = settled(look, clock);
    await clock.advance(15);
    await parked;
    assert.equal(looks, 4);
    const never = settled(() => TOLD, clock);
    await clock.advance(2_000);
    await never;
    assert.equal(clock.pending, 0);
  });
});
