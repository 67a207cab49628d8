import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: memory', () => {
  it('bounds shared memory and counts WebAssembly', async (t) => {
    const plain = results(await attempt(t, 'memory', { isGuarded: false }));
    assert.deepEqual(plain, {
      'Blobs inside each other': 'Blob 1100,File 1100,import 1100,slice 1100,prototype 1100',
      'ordinary Blobs': 'abc,text/plain,true,0,0,name,5,bc,ERR_INVALID_ARG_TYPE',
      'calls that wait': 800,
      'calls that wait and fail': 300,
      'calls that wait for ever': 'one more',
      'a cell to wait on': 'true 4 timed-out',
      'sizes that are none': 6,
      'more shared memory': 100_000,
      'more shared memory, cell by cell': 128_000,
      'shared memory that can grow': 100_000,
      'shared memory that grows when asked twice': 1,
      'more shared memory by its prototype': 100_000,
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
      'Blobs inside each other': 'Blob 999,File 999,import 499,slice 999,prototype 999',
      'ordinary Blobs': 'abc,text/plain,true,0,0,name,5,bc,ERR_INVALID_ARG_TYPE',
      'calls that wait': 800,
      'calls that wait and fail': 300,
      'calls that wait for ever': REFUSED,
      'a cell to wait on': 'true 4 timed-out',
      'sizes that are none': 6,
      'more shared memory': REFUSED,
      'more shared memory, cell by cell': REFUSED,
      'shared memory that can grow': REFUSED,
      'shared memory that grows when asked twice': 1,
      'more shared memory by its prototype': REFUSED,
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
