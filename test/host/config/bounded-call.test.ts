import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callBounded } from '../../../host/config/bounded-call.ts';

/** Asleep, as a thread that stands in line for the processor. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('a bounded call', () => {
  it('ends what uses the processor for too long', () => {
    assert.deepEqual(
      callBounded(50, () => /^(?:a+)+$/.test(`${'a'.repeat(60)}b`)),
      { kind: 'late' },
    );
  });

  it('begins anew where the processor was not to be had', () => {
    let calls = 0;
    const call = callBounded(50, () => {
      calls += 1;
      if (calls === 1) sleep(120);
      return calls;
    });
    assert.deepEqual(call, { kind: 'done', value: 2 });
  });

  it('gives up on what sleeps for ever', () => {
    assert.deepEqual(
      callBounded(10, () => sleep(40)),
      { kind: 'late' },
    );
  });

  it('passes on what is thrown', () => {
    assert.throws(() => callBounded(50, () => JSON.parse('{')), SyntaxError);
  });
});
