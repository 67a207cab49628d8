import assert from 'node:assert/strict';
import { it } from 'node:test';
import { internalErrors } from '../../host/commands/internal-errors.ts';
import { FakeClock } from '../support/fake-clock.ts';

it('internal errors: are reported, and make the host leave only when they keep coming', async () => {
  const clock = new FakeClock();
  const reported: unknown[] = [];
  const gaveUp: number[] = [];
  const onError = internalErrors({
    clock,
    report: (error) => reported.push(error),
    giveUp: (count) => gaveUp.push(count),
  });
  for (let n = 0; n < 50; n += 1) {
    onError(new Error('now and then'));
    await clock.advance(7_000);
  }
  assert.deepEqual([reported.length, gaveUp], [50, []]);
  for (let n = 0; n < 11; n += 1) onError(new Error('all at once'));
  assert.equal(gaveUp[0], 11);
});
