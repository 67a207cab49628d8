/** Bundles as archives in a whole host: what `npm pack` makes is dropped, replaced, broken and removed while it runs, in both tiers. */

import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { OUTBOX_FILE } from '../../host/dispatch/outbox-file.ts';
import { packed, tgz } from '../support/archive.ts';
import { eventually } from '../support/eventually.ts';
import { npmPack, type WrittenPlugin, writePlugin } from '../support/npm-pack.ts';
import { familyOf } from '../support/process-stats.ts';
import { type LogLine, RunningHost } from '../support/running-host.ts';
import { NO_DISKS, SmallDisk } from '../support/small-disk.ts';
import { tempDir } from '../support/temp-dir.ts';

const HELLO = `import { definePlugin } from 'khook/plugin';
import manifest from './package.json' with { type: 'json' };
export default definePlugin({ start(ctx) { ctx.log.info('hello', { version: manifest.version, url: import.meta.url }); } });
`;

/** Says what comes of reaching for what is not its own; 'done', or the code of the refusal. */
const SPY = `import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { greet } from 'greeter';
import { definePlugin } from 'khook/plugin';
const here = import.meta.dirname;
const data = here + '/../..';
const deeds = {
  greet: () => greet(),
  'read own': () => readFileSync(here + '/package.json'),
  'list own': () => readdirSync(here),
  'read outbox': () => readFileSync(data + '/${OUTBOX_FILE}'),
  'read outbox log': () => readFileSync(data + '/${OUTBOX_FILE}-wal'),
  'list data': () => readdirSync(data),
  'list bundles': () => readdirSync(here + '/..'),
  'read neighbour': () => readFileSync(here + '/../' + 'neighbour' + '/package.json'),
  'write own': () => writeFileSync(here + '/index.ts', 'x'),
  'make own': () => mkdirSync(here + '/made'),
  'remove own': () => rmSync(here + '/package.json'),
  'rename own': () => renameSync(here, here + '.partial'),
  'link own': () => symlinkSync(data, here + '/link'),
};
export default definePlugin({
  start(ctx) {
    const seen = {};
    for (const [name, deed] of Object.entries(deeds)) {
      try {
        const value = deed();
        seen[name] = typeof value === 'string' ? value : 'done';
      } catch (error) {
        seen[name] = error.code;
      }
    }
    ctx.log.info('spied', seen);
  },
});
`;

const GREETER = {
  'node_modules/greeter/package.json': '{"name":"greeter","version":"1.0.0","type":"module","main":"index.js"}',
  'node_modules/greeter/index.js': "export const greet = () => 'hello from a dependency';",
};

const said = (host: RunningHost, plugin: string, msg: string): LogLine | undefined =>
  host.log.findLast((line) => line.plugin === plugin && line.msg === msg);

/** Packs the plugin, and returns the path of its archive. */
async function pack(t: TestContext, plugin: WrittenPlugin): Promise<string> {
  const folder = tempDir(t);
  writePlugin(folder, plugin);
  return npmPack(folder);
}

const isolated = (isolation: string, ...names: string[]): string =>
  JSON.stringify({ plugins: names.map((name) => ({ name, isolation })), settings: { shutdownGrace: '2s' } });

const unpackedIn = (data: string): string[] => {
  const folder = join(data, 'unpacked');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};

describe('archives', () => {
  for (const isolation of ['thread', 'process']) {
    it(`are loaded when they are dropped, swapped when they are replaced, and gone when they are removed (${isolation})`, async (t) => {
      const [first, second] = await Promise.all(
        ['1.0.0', '1.1.0'].map((version) => pack(t, { name: 'packed', version, code: HELLO })),
      );
      const host = await RunningHost.start(t, {
        plugins: isolated(isolation, 'packed'),
        bundles: { stubborn: 'test/fixtures/plugins/stubborn' },
      });
      const data = join(host.directory, '.khook');
      const dropped = join(host.directory, 'plugins/packed.tgz');
      await host.plugin('stubborn', 'running');

      copyFileSync(first ?? '', dropped);
      assert.equal((await host.plugin('packed', 'running')).version, '1.0.0');
      const [folder, ...others] = unpackedIn(data);
      assert.deepEqual(others, []);
      const { fields } = await eventually(() => said(host, 'packed', 'hello'));
      assert.deepEqual(fields, {
        version: '1.0.0',
        url: pathToFileURL(join(data, 'unpacked', folder ?? '', 'index.ts')).href,
      });

      copyFileSync(second ?? '', dropped);
      await eventually(async () => {
        const { version, generation } = await host.plugin('packed', 'running');
        assert.deepEqual([version, generation], ['1.1.0', 2]);
        return true;
      });
      await eventually(() => unpackedIn(data).length === 1 && !unpackedIn(data).includes(folder ?? ''));
      assert.equal((await host.plugin('stubborn', 'running')).generation, 1);

      rmSync(dropped);
      // Its entry in plugins.yaml is still there.
      assert.match(String((await host.plugin('packed', 'failed')).reason), /there is no bundle of plugin 'packed'/);
      await eventually(() => unpackedIn(data).length === 0);
    });

    it(`are readable for their plugin, and nothing else below the data folder is (${isolation})`, async (t) => {
      const archive = await pack(t, {
        name: 'spy',
        code: SPY,
        manifest: { dependencies: { greeter: '1.0.0' }, bundleDependencies: ['greeter'] },
        files: GREETER,
      });
      const host = await RunningHost.start(t, { plugins: isolated(isolation, 'spy') });
      const data = join(host.directory, '.khook');
      assert.ok(existsSync(join(data, OUTBOX_FILE)));
      mkdirSync(join(data, 'unpacked/neighbour'), { recursive: true });
      writeFileSync(join(data, 'unpacked/neighbour/package.json'), '{}');
      copyFileSync(archive, join(host.directory, 'plugins/spy-1.0.0.tgz'));
      const { fields } = await eventually(() => said(host, 'spy', 'spied'));
      const denied = Object.fromEntries(
        ['read outbox', 'read outbox log', 'list data', 'list bundles', 'read neighbour']
          .concat(['write own', 'make own', 'remove own', 'rename own', 'link own'])
          .map((deed) => [deed, 'ERR_ACCESS_DENIED']),
      );
      assert.deepEqual(fields, { greet: 'hello from a dependency', 'read own': 'done', 'list own': 'done', ...denied });
    });
  }

  it('that are replaced faster than they are unpacked end with the last one', async (t) => {
    const host = await RunningHost.start(t, { bundles: { stubborn: 'test/fixtures/plugins/stubborn' } });
    const dropped = join(host.directory, 'plugins/packed.tgz');
    const bulk = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`lib/${n}.js`, 'x'.repeat(2_000)]));
    const version = (n: number): Buffer => {
      const manifest = { name: 'packed', version: `1.0.${n}`, main: 'index.ts', type: 'module' };
      const khook = { apiVersion: 1, eventTypes: ['happened'] };
      return packed({ 'package.json': JSON.stringify({ ...manifest, khook }), 'index.ts': HELLO, ...bulk });
    };
    for (let n = 1; n <= 15; n += 1) {
      writeFileSync(`${dropped}.next`, version(n));
      renameSync(`${dropped}.next`, dropped);
      // Some of them have the time to settle, and some have not.
      await new Promise((resolve) => setTimeout(resolve, (n * 137) % 700));
    }
    await eventually(async () => (await host.plugin('packed', 'running')).version === '1.0.15');
    await eventually(() => /^[0-9a-f]{64}$/.test(unpackedIn(join(host.directory, '.khook')).join()));
    assert.deepEqual(
      host.log.filter(({ level }) => level === 'error'),
      [],
    );
    assert.equal((await host.plugin('stubborn', 'running')).generation, 1);
  });

  it('that are bad are named in one line each, and whatever runs goes on', async (t) => {
    const good = await pack(t, { name: 'packed', code: HELLO });
    const host = await RunningHost.start(t, { bundles: { stubborn: 'test/fixtures/plugins/stubborn' } });
    const path = (name: string): string => join(host.directory, 'plugins', name);
    copyFileSync(good, path('packed.tgz'));
    await host.plugin('packed', 'running');
    writeFileSync(path('evil-1.0.0.tgz'), tgz({ name: 'package/../../../../etc/cron.d/it', content: '* * * * *' }));
    const line = await eventually(() => host.log.find(({ subject }) => subject === 'evil'));
    assert.equal(line.level, 'error');
    assert.equal(
      line.msg,
      `Failed to load plugin evil: ${path('evil-1.0.0.tgz')}: the archive cannot be used: the name of its entry ` +
        `'package/../../../../etc/cron.d/it' holds '..'; make the archive with 'npm pack' [HOST_ERR_BUNDLE_ARCHIVE]`,
    );
    writeFileSync(path('packed.tgz'), 'spoilt');
    const spoilt = await eventually(() => host.log.find(({ subject }) => subject === 'packed'));
    assert.match(spoilt.msg, /it is no gzip file; what was unpacked from it before stays in force/);
    copyFileSync(good, path('again.tgz'));
    const twice = await eventually(() => host.log.find(({ code }) => code === 'HOST_ERR_BUNDLE_TWICE'));
    assert.match(twice.msg, /two bundles are named 'packed': 'packed\.tgz' and 'again\.tgz'; 'packed\.tgz' is used/);
    for (const name of ['packed', 'stubborn']) assert.equal((await host.plugin(name, 'running')).generation, 1);
    assert.equal(host.log.filter(({ subject }) => subject === 'evil').length, 1, 'said once');
    // Its files are still there for another start.
    await fetch(`${host.admin}/api/v1/plugins/packed/restart`, { method: 'POST' });
    await eventually(async () => (await host.plugin('packed', 'running')).generation === 2);
  });

  it('are named in the errors of their plugins, and not the folder that they were unpacked into', async (t) => {
    const throws = HELLO.replace('ctx.log.info', "throw new Error('no ' + import.meta.dirname); ctx.log.info");
    const archive = await pack(t, { name: 'packed', code: throws });
    const host = await RunningHost.start(t, {});
    copyFileSync(archive, join(host.directory, 'plugins/packed-1.0.0.tgz'));
    const path = '/api/v1/flight-records?plugin=packed';
    const record = await eventually(async () => {
      const { flightRecords } = await host.json<{ flightRecords: { detail: string; stack: string }[] }>(path);
      return flightRecords[0];
    });
    assert.match(record.detail, /no .*\/plugins\/packed-1\.0\.0\.tgz$/);
    assert.match(record.stack, /\/plugins\/packed-1\.0\.0\.tgz\/index\.ts:\d+/);
    assert.doesNotMatch(`${record.detail}${record.stack}`, /unpacked/);
  });

  it('keep a plugin running whose name a folder claims as well', async (t) => {
    const archive = await pack(t, { name: 'emitter', code: HELLO });
    const host = await RunningHost.start(t, {});
    copyFileSync(archive, join(host.directory, 'plugins/emitter-1.0.0.tgz'));
    await host.plugin('emitter', 'running');
    writePlugin(join(host.directory, 'plugins/emitter'), { name: 'emitter', version: '9.0.0', code: HELLO });
    const line = await eventually(() => host.log.find(({ code }) => code === 'HOST_ERR_BUNDLE_TWICE'));
    assert.match(line.msg, /'emitter-1\.0\.0\.tgz' and 'emitter'; 'emitter-1\.0\.0\.tgz' is used/);
    const { version, generation } = await host.plugin('emitter', 'running');
    assert.deepEqual([version, generation], ['1.0.0', 1]);
  });

  it('are unpacked into a temporary folder without a data folder, and gone when khook stops', async (t) => {
    const archive = await pack(t, { name: 'packed', code: HELLO });
    const temporary = tempDir(t);
    const host = await RunningHost.start(t, { flags: ['--data', 'none'], env: { TMPDIR: temporary } });
    copyFileSync(archive, join(host.directory, 'plugins/packed.tgz'));
    await host.plugin('packed', 'running');
    const made = (): string[] => readdirSync(temporary).filter((name) => name.startsWith('khook-unpacked-'));
    assert.equal(made().length, 1);
    host.signal('SIGTERM');
    assert.equal((await host.exit).code, 0);
    assert.deepEqual(made(), []);
  });

  it('come from a folder that cannot be written, through the links of a ConfigMap', { skip: NO_DISKS }, async (t) => {
    const disk = SmallDisk.mount(t, 1_024);
    if (disk === null) return t.skip('nothing can be mounted');
    const archives = await Promise.all(
      ['1.0.0', '2.0.0'].map((version) => pack(t, { name: 'packed', version, code: HELLO })),
    );
    const mount = (n: number): void => {
      mkdirSync(join(disk.path, `..2026_${n}`));
      copyFileSync(archives[n] ?? '', join(disk.path, `..2026_${n}`, 'packed.tgz'));
      symlinkSync(`..2026_${n}`, join(disk.path, '..data_tmp'));
      renameSync(join(disk.path, '..data_tmp'), join(disk.path, '..data'));
    };
    mount(0);
    symlinkSync('..data/packed.tgz', join(disk.path, 'packed.tgz'));
    disk.remount('ro');
    const host = await RunningHost.start(t, { flags: ['--plugins', disk.path] });
    assert.equal((await host.plugin('packed', 'running')).version, '1.0.0');
    disk.remount('rw');
    mount(1);
    disk.remount('ro');
    await eventually(async () => (await host.plugin('packed', 'running')).version === '2.0.0');
  });

  it('that were half unpacked when khook was killed are unpacked whole by the next one', async (t) => {
    const data = join(tempDir(t), 'data');
    const plugins = tempDir(t);
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`lib/${n}.js`, `${n}`.repeat(500)]));
    const manifest = { name: 'large', version: '1.0.0', type: 'module', main: 'index.ts' };
    const files = {
      ...many,
      'package.json': JSON.stringify({ ...manifest, khook: { apiVersion: 1, eventTypes: ['happened'] } }),
      'index.ts': HELLO,
    };
    const flags = ['--data', data, '--plugins', plugins];
    const dropped = join(plugins, 'large.tgz');
    for (const kill of ['first', 'second']) {
      rmSync(dropped, { force: true });
      const host = await RunningHost.start(t, { flags });
      writeFileSync(dropped, packed({ ...files, kill }));
      await eventually(() => unpackedIn(data).some((name) => name.endsWith('.partial')));
      for (const pid of familyOf(host.pid)) process.kill(pid, 'SIGKILL');
      await host.exit;
      assert.match(unpackedIn(data).join(), /^[0-9a-f]{64}\.partial$/);
    }
    const host = await RunningHost.start(t, { flags });
    await host.plugin('large', 'running');
    assert.match(unpackedIn(data).join(), /^[0-9a-f]{64}$/);
    const found = readdirSync(join(data, 'unpacked', unpackedIn(data)[0] ?? ''), {
      recursive: true,
      withFileTypes: true,
    });
    assert.equal(found.filter((entry) => entry.isFile()).length, Object.keys(files).length + 1);
  });
});
