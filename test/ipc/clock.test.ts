import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delay, systemClock } from '../../ipc/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('clock', () => {
  it('delay: resolves when its time has passed, and not before', async () => {
    const clock = new FakeClock();
    let isOver = false;
    const waiting = delay(clock, 100).then(() => {
      isOver = true;
    });
    await clock.advance(99);
    assert.equal(isOver, false);
    await clock.advance(1);
    await waiting;
    assert.equal(isOver, true);
  });

  it('delay: rejects with the reason of its signal and leaves no timer', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const waiting = delay(clock, 100, abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await assert.rejects(waiting, reason);
    assert.equal(clock.pending, 0);
    await assert.rejects(delay(clock, 100, abort.signal), reason);
    assert.equal(clock.pending, 0);
  });

  it('delay: does not listen to its signal after it is over', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    let removed = 0;
    const { signal } = abort;
    const remove = signal.removeEventListener.bind(signal);
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      removed += 1;
      remove(...args);
    };
    const waiting = delay(clock, 10, signal);
    await clock.advance(10);
    await waiting;
    assert.equal(removed, 1);
  });

  it('system clock: a cancelled timer never runs, twice cancelled or not', async () => {
    let runs = 0;
    const timer = systemClock.after(0, () => {
      runs += 1;
    });
    const repeated = systemClock.every(1, () => {
      runs += 1;
    });
    for (const each of [timer, repeated]) {
      each.cancel();
      each.cancel();
    }
    await new Promise<void>((resolve) => {
      const keep = setInterval(() => undefined, 1000);
      systemClock.after(5, () => {
        clearInterval(keep);
        resolve();
      });
    });
    assert.equal(runs, 0);
  });
});
