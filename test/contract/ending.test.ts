/**
 * A worker that is terminated at the wrong moment takes the whole process of Node with it: between the making of a native object and its
 * initialisation, or while an answer of the thread pool becomes a key.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

async function endThreads(plugin: string, { rounds, silentMs }: { rounds: number; silentMs: number }): Promise<string> {
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
  const args = [...flags, 'test/fixtures/rogue/endings.ts', plugin, String(rounds), String(silentMs)];
  return (await promisify(execFile)('scripts/node26', args, { timeout: 100_000 })).stdout;
}

it('a thread that makes compressors without pause is ended, and the process lives', async () =>
  assert.equal(await endThreads('compressor', { rounds: 25, silentMs: 30 }), 'ended 25 threads\n'));

it('a thread for which the thread pool makes keys is ended, and the process lives', async () =>
  assert.equal(await endThreads('key-maker', { rounds: 40, silentMs: 0 }), 'ended 40 threads\n'));
