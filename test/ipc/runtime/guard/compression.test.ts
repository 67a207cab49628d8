import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: compression', () => {
  it('changes nothing for whoever compresses', async (t) => {
    const plain = results(await attempt(t, 'compression', { isGuarded: false }));
    assert.deepEqual(plain, {
      ...plain,
      'a stream that is flushed and changed on its way': true,
      'a web stream': true,
      'streams that are destroyed while they wait': 'after',
      'input that is damaged': 'Z_DATA_ERROR,Z_DATA_ERROR,Z_DATA_ERROR,Z_DATA_ERROR',
      'input that goes on after its end': 'short',
      'an output that is limited': 'ERR_BUFFER_TOO_LARGE',
      'a pipeline through three of them': true,
    });
    const guarded = await attempt(t, 'compression', { isGuarded: true });
    assert.deepEqual(results(guarded), plain);
    assert.deepEqual(guarded.logs, []);
  });

  it('counts the jobs of the thread pool where the host can read it', async (t) => {
    const poolWork = new Int32Array(new SharedArrayBuffer(4));
    await attempt(t, 'compression', { isGuarded: true, poolWork });
    assert.ok(Atomics.load(poolWork, 0) > 50, `${poolWork[0]}`);
  });

  it('refuses what would abort the process, and lowers what would take it over', async (t) => {
    const guarded = await attempt(t, 'compression-abuse', { isGuarded: true });
    assert.deepEqual(results(guarded), {
      'init of a handle with the wrong arguments': REFUSED,
      'init of a handle, again': REFUSED,
      'a write beyond its input': REFUSED,
      'a write while another is under way': REFUSED,
      'a write after the end': REFUSED,
      'parameters for the wrong format': REFUSED,
      'the constructor of a handle': 'undefined',
      'a compressor with threads of its own': true,
    });
    const lowered = guarded.logs.filter((line) => line.includes('zstd'));
    assert.equal(lowered.length, 2);
    assert.match(lowered[1] ?? '', /refused a number of threads of zstd of 8: 0 is taken/);
  });
});
