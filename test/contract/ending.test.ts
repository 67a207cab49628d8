/** A worker that is terminated between the making of a native object and its initialisation takes the whole process of Node with it. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

const ROUNDS = 25;

it('a thread that makes compressors without pause is ended, and the process lives', async () => {
  const args = [
    '--expose-gc',
    '--disable-warning=ExperimentalWarning',
    'test/fixtures/rogue/compressors.ts',
    String(ROUNDS),
  ];
  const { stdout } = await promisify(execFile)('scripts/node26', args, { timeout: 100_000 });
  assert.equal(stdout, `ended ${ROUNDS} threads\n`);
});
