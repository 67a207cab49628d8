import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callBounded } from '../../../host/config/bounded-call.ts';

describe('bounded call', () => {
  it('returns what the action returns, and throws what it throws', () => {
    assert.deepEqual(
      callBounded(1_000, () => 7),
      { kind: 'done', value: 7 },
    );
    assert.throws(
      () =>
        callBounded(1_000, () => {
          throw new TypeError('no');
        }),
      TypeError,
    );
  });

  it('cuts off what works for longer, at the first try where it has a core', () => {
    const text = `${'a'.repeat(60)}!`;
    assert.deepEqual(
      callBounded(50, () => /^(?:a+)+$/.test(text)),
      { kind: 'late' },
    );
  });

  it('tries again what was kept from working, and gives up in the end', () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    let tries = 0;
    /** Takes time, and no core. */
    const wait = (most: number): string => {
      tries += 1;
      if (tries <= most) Atomics.wait(cell, 0, 0);
      return 'done';
    };
    assert.deepEqual(
      callBounded(20, () => wait(2)),
      { kind: 'done', value: 'done' },
    );
    assert.equal(tries, 3);
    tries = 0;
    assert.deepEqual(
      callBounded(20, () => wait(99)),
      { kind: 'late' },
    );
    assert.equal(tries, 4);
  });
});
