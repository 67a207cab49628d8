import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { tempDir } from '../../../support/temp-dir.ts';
import { attempt, result, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';
/** Refused by Node's permission model as well. */
const HELD_ANYWAY = ['module.register', 'child_process.spawn', 'cluster.fork'];

describe('guard: engine and modules', () => {
  it('shuts the doors that a plain worker finds open', async (t) => {
    const plain = results(await attempt(t, 'engine', { isGuarded: false }));
    for (const [name, got] of Object.entries(plain)) {
      assert.equal(got === REFUSED, HELD_ANYWAY.includes(name), `${name} without the guard: ${got}`);
    }
    const { 'vm.runInThisContext': here, ...others } = results(await attempt(t, 'engine', { isGuarded: true }));
    assert.equal(here, 2);
    for (const [name, got] of Object.entries(others)) assert.equal(got, REFUSED, name);
    assert.equal(Object.keys(others).length, Object.keys(plain).length - 1);
  });

  it('do not leave the collector there, which writes files past all permissions', async (t) => {
    setFlagsFromString('--expose-gc');
    const name = 'a heap snapshot by the collector';
    const paths = ['plain', 'guarded'].map((file) => join(tempDir(t), file));
    assert.equal(result(await attempt(t, 'collector', { isGuarded: false, facts: paths[0] }), name), 'written');
    assert.notEqual(result(await attempt(t, 'collector', { isGuarded: true, facts: paths[1] }), name), 'written');
    assert.deepEqual(paths.map(existsSync), [true, false]);
  });
});
