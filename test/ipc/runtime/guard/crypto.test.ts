import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: crypto', () => {
  it('caps what a job costs and how many run at once', async (t) => {
    const plain = results(await attempt(t, 'crypto', { isGuarded: false }));
    assert.deepEqual(plain, {
      ...plain,
      'a costly pbkdf2Sync': 16,
      'a costly scrypt with options that change': '16, N read 2 time(s)',
      'a large prime': 'boolean',
      'a costly deriveBits': 16,
      'a costly deriveBits by the prototype': 16,
    });
    const guarded = results(await attempt(t, 'crypto', { isGuarded: true }));
    assert.deepEqual(guarded, {
      'a costly pbkdf2Sync': REFUSED,
      'a costly scryptSync': REFUSED,
      'a costly scrypt with options that change': '16, N read 1 time(s)',
      'a large RSA key': REFUSED,
      'a large prime': REFUSED,
      'a costly deriveBits': REFUSED,
      'a costly deriveBits by the prototype': REFUSED,
      'jobs at once': 6,
    });
  });
});
