import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

describe('guard: memory that is given away', () => {
  it('is never what a thread of the pool works on', async (t) => {
    const attempted = await attempt(t, 'transfers', { isGuarded: true });
    const {
      'a random fill beyond its end': beyond,
      'room and state of a stream': room,
      ...guarded
    } = results(attempted);
    assert.deepEqual(guarded, {
      'a random fill': 'gone',
      deflate: 'gone',
      'a stream': 'gone',
      brotli: 'gone',
      zstd: 'gone',
      pbkdf2: 'gone',
      digest: 'gone',
      sign: 'gone',
      'one buffer for many writes': true,
      'a random fill of a part': '00xxx000true',
    });
    assert.equal(beyond, 'ERR_OUT_OF_RANGE');
    assert.ok(room === 'gone' || attempted.errors.length === 1, `${room}`);
  });
});
