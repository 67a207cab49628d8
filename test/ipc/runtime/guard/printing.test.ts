import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

describe('guard: the descriptors of stdout and stderr', () => {
  it('print lines of the plugin, and answer as a file does', async (t) => {
    const guarded = await attempt(t, 'printing', { isGuarded: true });
    assert.deepEqual(results(guarded), {
      'a text': 8,
      'a text in another encoding': 2,
      'bytes, a part of them': 9,
      'bytes, a named part of them': 9,
      'bytes, all of them': 19,
      'a character in two pieces': 2,
      'several buffers': 7,
      'with a callback': [true, 12, 'called back\n'],
      'as a promise': 9,
      'a whole file': 'written',
      'a whole file with a callback': 'written',
      'a stream': 'written',
      'a part that is none': 0,
      'nothing that can be written': 'ERR_INVALID_ARG_TYPE',
      'no callback': 'ERR_INVALID_ARG_TYPE',
      'a read': 'EBADF',
      'its end': 'EBADF',
    });
    assert.deepEqual(
      guarded.logs.filter((line) => !line.startsWith('warn')),
      [
        'info in text',
        'info é',
        'info in bytes',
        'info in bytes',
        'error complaint in bytes',
        'info té',
        'info in two',
        'info called back',
        'info promised',
        'error complaint as a file',
        'info appended',
        'info streamed',
      ],
    );
  });
});
