/** A real host with plugins that do their worst: what it says of them, and that it outlives and leaves them. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';

const skip = process.platform === 'win32' ? 'needs named pipes' : false;
const BUNDLES = { vice: 'test/fixtures/plugins/vice', emitter: 'test/fixtures/plugins/emitter' };

describe('watchdog in a running host', () => {
  it('recycles a plugin that leaks, says what was measured, and leaves the others running', async (t) => {
    const host = await RunningHost.start(t, {
      bundles: BUNDLES,
      plugins: "plugins: [{ name: vice, config: { vice: 'leak an array' } }, { name: emitter, config: { count: 10 } }]",
    });
    await eventually(() => host.grep(/memory \d+ MB after collection, limit 64 MB/)[0]);
    const { restarts, lastExit } = (await host.plugin('vice', 'running')) as {
      restarts: Record<string, number>;
      lastExit: { reason: string };
    };
    assert.deepEqual([(restarts.leak ?? 0) >= 1, lastExit.reason], [true, 'leak']);
    const { restarts: others } = await host.plugin('emitter', 'running');
    assert.deepEqual(others, {});
  });

  it('leaves when it is told to, although a thread is held by a system call', { skip }, async (t) => {
    const { host, block } = await startStuck(t, ['stuck']);
    await host.plugin('stuck', 'running');
    block();
    await eventually(() => host.grep(/its event loop stood still for/)[0]);
    await eventually(async () => {
      const metrics = await (await fetch(`${host.metrics}/metrics`)).text();
      return /^khook_zombie_threads [1-9]/m.test(metrics);
    });
    host.signal('SIGTERM');
    await host.exit;
    assert.equal(host.grep(/khook stopped/).length, 1);
  });

  it('is replaced by its keeper when there are too many threads that do not end', { skip }, async (t) => {
    const { host, block } = await startStuck(t, ['stuck-a', 'stuck-b', 'stuck-c', 'stuck-d']);
    block();
    const replaced = /khook's host asked to be replaced: 4 threads that were ended are still there: plugin stuck-/;
    await eventually(() => host.grep(replaced)[0]);
  });
});

/** Plugins that wait for a named pipe in their granted folder, and then for somebody to write to it. */
async function startStuck(t: TestContext, names: readonly string[]): Promise<{ host: RunningHost; block: () => void }> {
  const directory = realpathSync(tempDir(t));
  const [granted, pipe] = [join(directory, 'granted'), join(directory, 'granted/pipe')];
  mkdirSync(granted);
  const khook = { apiVersion: 1, eventTypes: ['happened'], permissions: { read: [granted] } };
  for (const name of names) {
    cpSync(join(import.meta.dirname, '../fixtures/plugins/vice'), join(directory, name), { recursive: true });
    const manifest = { name, version: '1.0.0', type: 'module', main: 'index.ts', khook };
    writeFileSync(join(directory, name, 'package.json'), JSON.stringify(manifest));
  }
  const config = { vice: 'wait for a pipe and block on it', pipe };
  const host = await RunningHost.start(t, {
    bundles: Object.fromEntries(names.map((name) => [name, join(directory, name)])),
    plugins: JSON.stringify({ plugins: names.map((name) => ({ name, config, permissions: { read: [granted] } })) }),
  });
  // A folder is looked through for pipes before it is granted.
  return { host, block: () => void execFileSync('mkfifo', [pipe]) };
}
