import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

describe('guard: scripts', () => {
  it('a plain worker looks into code caches, and has the native class', async (t) => {
    const plain = results(await attempt(t, 'scripts', { isGuarded: false }));
    assert.deepEqual(plain, {
      'a code cache of another text': '101 false',
      'a code cache in a getter': '102 false',
      'a code cache of a function': '2 false',
      'a class of its own': '203 true',
      'a script with options': 204,
      'the native class': 'a class',
      'the constructor of the native class': 'function',
    });
  });

  it('are compiled from their texts alone', async (t) => {
    const guarded = await attempt(t, 'scripts', { isGuarded: true });
    assert.deepEqual(results(guarded), {
      'a code cache of another text': '201 undefined',
      'a code cache in a getter': '202 undefined',
      'a code cache of a function': '3 undefined',
      'a class of its own': '203 true',
      'a script with options': 204,
      'the native class': 'out of reach',
      'the constructor of the native class': 'undefined',
    });
    assert.ok(guarded.logs.some((line) => line.includes('a code cache of vm')));
  });

  it('cannot be run with arguments that abort the process', async (t) => {
    const guarded = results(await attempt(t, 'scripts-abort', { isGuarded: true }));
    assert.equal(guarded['running a script with the wrong arguments'], 'ERR_ACCESS_DENIED');
  });
});
