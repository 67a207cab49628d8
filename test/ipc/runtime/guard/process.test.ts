import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tempDir } from '../../../support/temp-dir.ts';
import { attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: process', () => {
  it('is open to a plain worker, and closed under the guard', async (t) => {
    const plain = results(await attempt(t, 'process', { isGuarded: false, facts: { file: import.meta.filename } }));
    assert.deepEqual(plain, {
      ...plain,
      'process.kill': true,
      'process._kill': 0,
      'process.kill of the parent': true,
      'process.report': true,
      'process._getActiveHandles': true,
      'process.setUncaughtExceptionCaptureCallback': true,
      'a handle of a process': 'function',
    });
    const guarded = await attempt(t, 'process', { isGuarded: true, facts: { file: import.meta.filename } });
    assert.deepEqual(results(guarded), {
      'process.kill': REFUSED,
      'process._kill': REFUSED,
      'process.kill of the parent': REFUSED,
      'process.report': 'no code',
      'process._getActiveHandles': REFUSED,
      'process.permission.drop': REFUSED,
      'process.setUncaughtExceptionCaptureCallback': REFUSED,
      "a file in the host's directory": REFUSED,
      'process.abort': REFUSED,
      'process.chdir': REFUSED,
      'process.binding': REFUSED,
      'process.dlopen': REFUSED,
      'a handle of a process': REFUSED,
      'process.title stays a string': 'mine',
      'process.exit is there': 'function',
    });
    assert.equal(guarded.logs.filter((line) => line.includes('refused process.kill:')).length, 1, 'said once');
  });

  it('may read the host directory until the guard gives that up', async (t) => {
    const directory = tempDir(t);
    const file = join(directory, 'host.txt');
    writeFileSync(file, 'of the host');
    const before = process.cwd();
    t.after(() => process.chdir(before));
    process.chdir(directory);
    const plain = await attempt(t, 'process', { isGuarded: false, facts: { file } });
    const guarded = await attempt(t, 'process', { isGuarded: true, facts: { file }, hostDirectory: directory });
    assert.equal(results(plain)["a file in the host's directory"], 'of the host');
    assert.equal(results(guarded)["a file in the host's directory"], REFUSED);
  });
});
