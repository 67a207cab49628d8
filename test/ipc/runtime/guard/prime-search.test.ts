import assert from 'node:assert/strict';
import { generatePrimeSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { isEndless } from '../../../../ipc/runtime/guard/prime-search.ts';

describe('prime search', () => {
  it('is endless where add and rem have a divisor in common, or leave one to (p - 1) / 2', () => {
    for (const options of [
      { add: 5n, rem: 0n },
      { add: 4n, rem: 2n },
      { add: 15n, rem: 6n },
      { safe: true, add: 4n, rem: 1n },
      { safe: true, add: 3n, rem: 1n },
      { safe: true, add: 10n, rem: 1n },
      { add: Buffer.from([5]), rem: Buffer.alloc(0) },
      { add: new Uint8Array([5]).buffer, rem: 10n },
    ])
      assert.equal(isEndless(64, options), true, JSON.stringify(Object.values(options).map(String)));
  });

  it('is endless where hardly a candidate is left', () => {
    assert.equal(isEndless(64, { add: 2n ** 63n + 9n, rem: 1n }), true);
    assert.equal(isEndless(64, { safe: true, add: 2n ** 20n + 7n }), true);
    assert.equal(isEndless(64, { add: Buffer.alloc(2_000, 1) }), true);
    assert.equal(isEndless(64, { add: new SharedArrayBuffer(1) }), true);
  });

  it('ends for what is asked in earnest', () => {
    for (const options of [
      {},
      { add: 12n },
      { add: 12n, rem: 11n },
      { add: 24n, rem: 23n, safe: true },
      { add: 60n, rem: 59n, safe: true },
    ]) {
      assert.equal(isEndless(64, options), false);
      assert.ok(generatePrimeSync(64, options).byteLength > 0);
    }
  });

  it('ends wherever it says so, down to the smallest', () => {
    for (const safe of [false, true]) {
      for (let bits = safe ? 6 : 3; bits <= 12; bits += 1) {
        for (let add = 1n; add < 70n; add += 1n) {
          for (let rem = 0n; rem < add; rem += 1n)
            if (!isEndless(bits, { safe, add, rem }))
              assert.ok(generatePrimeSync(bits, { safe, add, rem }), `${bits} ${add} ${rem}`);
        }
      }
    }
  });

  it('leaves to Node what is no integer, and keeps the integers that it looked at', () => {
    for (const add of [1, 'x', null, -5n, 0n]) assert.equal(isEndless(64, { add }), false);
    const options = { add: Buffer.from([1, 0]), rem: 3n };
    assert.equal(isEndless(64, options), false);
    assert.deepEqual(options, { add: 256n, rem: 3n });
  });
});
