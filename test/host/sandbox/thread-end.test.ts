import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EndingSigns, mayEnd, settled } from '../../../host/sandbox/thread-end.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { endingCells, WAITS } from '../../../ipc/ending-cells.ts';

const TOLD: EndingSigns = { isWaiting: false, cpuSeconds: 1 };

describe('the end of a thread', () => {
  it('comes when it waits for it', () => {
    assert.equal(mayEnd(TOLD, { ...TOLD, isWaiting: true }, 0), true);
  });

  it('is not hurried because no core is free', () => {
    assert.equal(mayEnd(TOLD, TOLD, 1_500), false);
    assert.equal(mayEnd(TOLD, { ...TOLD, cpuSeconds: 1.04 }, 1_500), false);
  });

  it('comes when it has worked for a while without waiting, or when nothing tells', () => {
    assert.equal(mayEnd(TOLD, { ...TOLD, cpuSeconds: 1.06 }, 60), true);
    assert.equal(mayEnd(TOLD, TOLD, 2_000), true);
  });

  it('comes after a moment where its CPU time cannot be told', () => {
    const blind = { ...TOLD, cpuSeconds: null };
    assert.equal(mayEnd(blind, blind, 95), false);
    assert.equal(mayEnd(blind, blind, 100), true);
  });

  it('is looked for again and again', async () => {
    const cells = endingCells();
    let looks = 0;
    const look = (): EndingSigns => {
      looks += 1;
      if (looks === 4) Atomics.store(cells, WAITS, 1);
      return { ...TOLD, isWaiting: Atomics.load(cells, WAITS) === 1 };
    };
    await settled(look, cells, systemClock);
    assert.equal(looks, 4);
  });
});
