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
      'a long pbkdf2Sync': 6_500,
      'a long scryptSync': 2 ** 24 + 1,
      'a long digest': 2 ** 24 + 1,
      'a long digest at once': 2 ** 24 + 1,
      'a long digest of a copy': 2 ** 24 + 1,
      'a long digest by the constructor': 2 ** 24 + 1,
      'ordinary digests': '32,200,64,20,true',
      'a costly deriveBits in words': 16,
      'many bits derived': 6_500,
      'keys derived': '32 AES-GCM',
      'a large prime': 'boolean',
      'a costly deriveBits': 16,
      'a costly deriveBits by the prototype': 16,
    });
    const guarded = results(await attempt(t, 'crypto', { isGuarded: true }));
    assert.deepEqual(guarded, {
      'a costly pbkdf2Sync': REFUSED,
      'a costly scryptSync': REFUSED,
      'a costly scrypt with options that change': '16, N read 1 time(s)',
      'a long pbkdf2Sync': REFUSED,
      'a long scryptSync': REFUSED,
      'a long digest': REFUSED,
      'a long digest at once': REFUSED,
      'a long digest of a copy': REFUSED,
      'a long digest by the constructor': REFUSED,
      'ordinary digests': '32,200,64,20,true',
      'a safe prime': REFUSED,
      'a costly deriveBits in words': REFUSED,
      'many bits derived': REFUSED,
      'keys derived': '32 AES-GCM',
      'a large RSA key': REFUSED,
      'a large prime': REFUSED,
      'a costly deriveBits': REFUSED,
      'a costly deriveBits by the prototype': REFUSED,
      'jobs at once': 6,
    });
  });
});
