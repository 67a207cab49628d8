/** Dropping, replacing and removing bundles, and editing files, while the host runs. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RunningHost } from '../support/running-host.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/plugins');
/** From the last write to the effect. */
const SOON_MS = 2_000;

function bundle(host: RunningHost, name: string): string {
  return join(host.directory, 'plugins', name);
}

describe('hot reload', () => {
  it('loads a bundle that is dropped, swaps one that is replaced, stops one that is removed, and touches no other', async (t) => {
    const host = await RunningHost.start(t, { bundles: { stubborn: join(FIXTURES, 'stubborn') } });
    const neighbour = await host.plugin('stubborn', 'running');

    cpSync(join(FIXTURES, 'emitter'), bundle(host, 'emitter'), { recursive: true });
    const dropped = performance.now();
    await host.plugin('emitter', 'running');
    assert.ok(performance.now() - dropped < SOON_MS, `took ${performance.now() - dropped} ms`);

    const manifest = join(bundle(host, 'emitter'), 'package.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('1.0.0', '1.1.0'));
    const replaced = performance.now();
    await eventually(async () => {
      const plugin = await host.plugin('emitter', 'running');
      assert.deepEqual([plugin.version, plugin.generation], ['1.1.0', 2]);
      return true;
    });
    assert.ok(performance.now() - replaced < SOON_MS, `took ${performance.now() - replaced} ms`);

    rmSync(bundle(host, 'emitter'), { recursive: true });
    const removed = performance.now();
    await eventually(async () => {
      const { plugins } = await host.json<{ plugins: { name: string }[] }>('/api/v1/plugins');
      assert.deepEqual(
        plugins.map(({ name }) => name),
        ['stubborn'],
      );
      return true;
    });
    assert.ok(performance.now() - removed < SOON_MS, `took ${performance.now() - removed} ms`);
    assert.equal((await host.plugin('stubborn', 'running')).generation, neighbour.generation);
  });

  it('takes a bundle only once it is complete', async (t) => {
    const host = await RunningHost.start(t, {});
    const target = bundle(host, 'emitter');
    mkdirSync(target);
    const source = join(FIXTURES, 'emitter');
    writeFileSync(join(target, 'package.json'), readFileSync(join(source, 'package.json')));
    const text = readFileSync(join(source, 'index.ts'), 'utf8');
    for (let cut = 0; cut < text.length; cut += 200) {
      writeFileSync(join(target, 'index.ts'), text.slice(0, cut + 200));
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    const plugin = await host.plugin('emitter', 'running');
    assert.deepEqual([plugin.generation, plugin.restarts], [1, {}]);
  });

  it('restarts only the plugin whose entry in plugins.yaml was edited', async (t) => {
    const entries = (count: number): string =>
      `plugins:\n  - { name: emitter, config: { count: ${count} } }\n  - { name: stubborn }\n`;
    const host = await RunningHost.start(t, {
      plugins: entries(1),
      bundles: { emitter: join(FIXTURES, 'emitter'), stubborn: join(FIXTURES, 'stubborn') },
    });
    await host.plugin('emitter', 'running');
    await host.plugin('stubborn', 'running');
    host.write('config/plugins.yaml', entries(2));
    await eventually(async () => (await host.plugin('emitter', 'running')).generation === 2);
    assert.equal((await host.plugin('stubborn', 'running')).generation, 1);
    host.write(
      'config/plugins.yaml',
      `${entries(2).replace('{ name: stubborn }', '{ name: stubborn, enabled: false }')}`,
    );
    await host.plugin('stubborn', 'disabled');
    await eventually(() => host.grep(/plugin stubborn stopped/).length === 1);
  });

  it('keeps what was in force when an edit is bad, and says so', async (t) => {
    const host = await RunningHost.start(t, {
      plugins: 'plugins: [{ name: emitter, config: { count: 1 } }]',
      bundles: { emitter: join(FIXTURES, 'emitter') },
    });
    await host.plugin('emitter', 'running');
    host.write('config/plugins.yaml', 'plugins: [{ name: emitter, config: { count: 1 } }');
    await eventually(
      () => host.grep(/plugins\.yaml cannot be used; the configuration that was in force stays/).length > 0,
    );
    assert.equal((await host.plugin('emitter', 'running')).generation, 1);
    const readiness = await fetch(`${host.health}/readyz?verbose`);
    assert.equal(readiness.status, 503);
    assert.match(await readiness.text(), /\[-\]config failed: .*plugins\.yaml/);
    host.write('config/plugins.yaml', 'plugins: [{ name: emitter, config: { count: 3 } }]');
    await eventually(async () => (await host.plugin('emitter', 'running')).generation === 2);
    await eventually(async () => (await fetch(`${host.health}/readyz`)).status === 200);
  });

  it('sees the symlink swap by which Kubernetes updates a mounted ConfigMap', async (t) => {
    const host = await RunningHost.start(t, { bundles: { emitter: join(FIXTURES, 'emitter') } });
    const config = join(host.directory, 'config');
    const mount = (stamp: string, text: string): void => {
      mkdirSync(join(config, stamp));
      writeFileSync(join(config, stamp, 'plugins.yaml'), text);
      symlinkSync(stamp, join(config, '..data_tmp'));
      renameSync(join(config, '..data_tmp'), join(config, '..data'));
    };
    mount('..2026_01', 'plugins: [{ name: emitter, config: { count: 1 } }]');
    symlinkSync('..data/plugins.yaml', join(config, 'plugins.yaml'));
    await eventually(async () => (await host.plugin('emitter', 'running')).generation === 2);
    mount('..2026_02', 'plugins: [{ name: emitter, enabled: false }]');
    const swapped = performance.now();
    await host.plugin('emitter', 'disabled');
    assert.ok(performance.now() - swapped < SOON_MS, `took ${performance.now() - swapped} ms`);
  });
});
