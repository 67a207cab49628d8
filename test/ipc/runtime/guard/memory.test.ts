import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: memory', () => {
  it('refuses shared memory and counts WebAssembly', async (t) => {
    const plain = results(await attempt(t, 'memory', { isGuarded: false }));
    assert.deepEqual(plain, {
      SharedArrayBuffer: 8,
      'SharedArrayBuffer by its prototype': 8,
      'a shared WebAssembly.Memory': 'object',
      'a shared WebAssembly.Memory by a getter': '[object ArrayBuffer] 1',
      'buffers that can grow': 1_100,
      'a buffer that can grow without end': 2 ** 40,
      'a buffer by its constructor': 2 ** 40,
      'ordinary buffers': 'true,12,16,false,4,true',
      'a large WebAssembly.Memory': 'object',
      'many instances': 1_100,
      'an instance': 'true [object ArrayBuffer]',
    });
    const guarded = results(await attempt(t, 'memory', { isGuarded: true }));
    assert.deepEqual(guarded, {
      SharedArrayBuffer: REFUSED,
      'SharedArrayBuffer by its prototype': REFUSED,
      'a shared WebAssembly.Memory': REFUSED,
      'a shared WebAssembly.Memory by a getter': '[object ArrayBuffer] 1',
      'buffers that can grow': REFUSED,
      'a buffer that can grow without end': REFUSED,
      'a buffer by its constructor': REFUSED,
      'ordinary buffers': 'true,12,16,false,4,true',
      'a large WebAssembly.Memory': REFUSED,
      'many instances': REFUSED,
      'an instance': 'true [object ArrayBuffer]',
    });
  });
});
