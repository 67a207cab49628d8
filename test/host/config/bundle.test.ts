import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BundleSettling, SETTLE_MS } from '../../../host/config/bundle-settling.ts';
import { BundleShelf } from '../../../host/config/bundle-shelf.ts';
import { MAX_BUNDLE_FILES, stampBundle } from '../../../host/config/bundle-stamp.ts';
import { DEFAULT_SETTINGS } from '../../../host/config/settings.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { packageJson, scanBundles, writeBundle, writeFiles } from './bundle-files.ts';

async function stampOf(directory: string): Promise<string> {
  const stamp = await stampBundle(directory);
  return stamp.kind === 'ok' ? stamp.stamp : stamp.kind;
}

test('bundles: every folder and link to a folder counts, but none that begins with a dot or a low line', async (t) => {
  const root = tempDir(t);
  const plugins = join(root, 'plugins');
  for (const name of ['b', 'a']) writeBundle(plugins, { name });
  for (const folder of ['.hidden', '_draft']) writeBundle(plugins, { name: 'x' }, folder);
  symlinkSync(writeBundle(root, { name: 'linked' }, 'elsewhere'), join(plugins, 'link'));
  symlinkSync('nowhere', join(plugins, 'dangling'));
  writeFileSync(join(plugins, 'README.md'), '');
  const { bundles, problems } = await scanBundles(plugins);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    bundles.map(({ manifest }) => manifest.name),
    ['a', 'b', 'linked'],
  );
  assert.equal(bundles[2]?.directory, join(root, 'elsewhere'));
});

test('bundles: a folder without a manifest is a problem and the others are found', async (t) => {
  const plugins = tempDir(t);
  writeBundle(plugins, { name: 'good' });
  mkdirSync(join(plugins, 'empty'));
  writeFiles(plugins, { 'library/package.json': '{"name":"library"}' });
  const { bundles, broken, problems } = await scanBundles(plugins);
  assert.equal(bundles.length, 1);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['HOST_ERR_BUNDLE_MANIFEST', 'HOST_ERR_BUNDLE_MANIFEST'],
  );
  assert.deepEqual(
    broken.map(({ name }) => name),
    ['empty', 'library'],
  );
});

test('bundles: of two with one name the first folder wins and the other is reported', async (t) => {
  const plugins = tempDir(t);
  writeBundle(plugins, { name: 'same' }, 'two');
  writeBundle(plugins, { name: 'same' }, 'one');
  const { bundles, problems } = await scanBundles(plugins);
  assert.deepEqual(
    bundles.map(({ folder }) => folder),
    ['one'],
  );
  assert.equal(problems[0]?.code, 'HOST_ERR_BUNDLE_TWICE');
  assert.match(problems[0]?.message ?? '', /'one' and 'two'/);
});

test('bundles: a plugins folder that is missing, or a file, is a clear problem', async (t) => {
  const root = tempDir(t);
  const missing = await scanBundles(join(root, 'plugins'));
  assert.match(missing.problems[0]?.message ?? '', /does not exist/);
  writeFileSync(join(root, 'plugins'), '');
  const file = await scanBundles(join(root, 'plugins'));
  assert.equal(file.problems[0]?.code, 'HOST_ERR_CONFIG_FILE');
});

test('bundles: the stamp changes with every file, its name, its size, its time, and where a link leads', async (t) => {
  const directory = writeBundle(tempDir(t));
  writeFiles(directory, { 'lib/deep/a.js': 'aaaa' });
  symlinkSync('a', join(directory, 'link'));
  const seen = new Set([await stampOf(directory)]);
  assert.ok(seen.has(await stampOf(directory)), 'it is the same while nothing changes');
  const changes: (() => void)[] = [
    () => writeFileSync(join(directory, 'lib/deep/a.js'), 'bbbbb'),
    () => utimesSync(join(directory, 'lib/deep/a.js'), 1, 1),
    () => renameSync(join(directory, 'lib/deep/a.js'), join(directory, 'lib/deep/b.js')),
    () => mkdirSync(join(directory, 'lib/empty')),
    () => {
      rmSync(join(directory, 'link'));
      symlinkSync('b', join(directory, 'link'));
    },
    () => rmSync(join(directory, 'lib/deep/b.js')),
  ];
  for (const [index, change] of changes.entries()) {
    change();
    const stamp = await stampOf(directory);
    assert.ok(!seen.has(stamp), `change ${index} shows`);
    seen.add(stamp);
  }
});

test('bundles: the stamp does not care about .git', async (t) => {
  const directory = writeBundle(tempDir(t));
  mkdirSync(join(directory, '.git'));
  const before = await stampOf(directory);
  writeFiles(directory, { '.git/index': 'x' });
  assert.equal(await stampOf(directory), before);
});

test('bundles: a link that leads out, or in a circle, is not followed', async (t) => {
  const root = tempDir(t);
  const directory = writeBundle(join(root, 'plugins'));
  writeFiles(root, { 'outside/a': '' });
  symlinkSync(join(root, 'outside'), join(directory, 'out'));
  symlinkSync('.', join(directory, 'circle'));
  const before = await stampOf(directory);
  writeFiles(root, { 'outside/a': 'more' });
  assert.equal(await stampOf(directory), before);
});

test('bundles: too many files or too deep a tree is a problem, not a long wait', async (t) => {
  const plugins = tempDir(t);
  const wide = writeBundle(plugins, { name: 'wide' });
  mkdirSync(join(wide, 'many'));
  for (let i = 0; i <= MAX_BUNDLE_FILES; i += 1) writeFileSync(join(wide, 'many', `${i}`), '');
  const deep = writeBundle(plugins, { name: 'deep' });
  mkdirSync(join(deep, ...Array.from({ length: 13 }, () => 'd')), { recursive: true });
  const { bundles, problems } = await scanBundles(plugins);
  assert.deepEqual(bundles, []);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['HOST_ERR_BUNDLE_TOO_LARGE', 'HOST_ERR_BUNDLE_TOO_LARGE'],
  );
});

test('bundle settling: a bundle settles after two equal stamps far enough apart', () => {
  const settling = new BundleSettling();
  const look = (stamp: string, now: number) =>
    settling.observe([{ key: 'a', stamp, changedAt: 1_000_000 }], { now, wall: 0 });
  assert.equal(look('1', 0).size, 0);
  assert.equal(settling.waitMs(0), SETTLE_MS);
  assert.equal(look('1', 100).size, 0);
  assert.equal(settling.waitMs(100), SETTLE_MS - 100);
  assert.equal(look('2', 249).size, 0);
  assert.equal(look('2', 400).size, 0);
  assert.equal(look('2', 499).size, 1);
  assert.equal(settling.waitMs(499), null);
  assert.equal(look('2', 500).size, 1);
  assert.equal(look('3', 501).size, 0);
});

test('bundle settling: what has not changed for long is settled at first sight', () => {
  const settling = new BundleSettling();
  const at = { now: 0, wall: 10_000 };
  assert.deepEqual([...settling.observe([{ key: 'old', stamp: '1', changedAt: 10_000 - SETTLE_MS }], at)], ['old']);
  assert.deepEqual([...settling.observe([{ key: 'new', stamp: '1', changedAt: 9_999 }], at)], []);
});

test('bundle shelf: a folder that grows keeps what stood there before', async (t) => {
  const plugins = tempDir(t);
  const clock = new FakeClock();
  const shelf = new BundleShelf({ clock, dataDirectory: null });
  const versions = async () => {
    const view = await shelf.look({
      pluginsDirectory: plugins,
      takeGrowing: false,
      archives: DEFAULT_SETTINGS.archives,
    });
    return [view.bundles.map(({ manifest }) => manifest.version).join(), view.isGrowing, view.settleInMs];
  };
  const directory = writeBundle(plugins);
  assert.deepEqual(await versions(), ['', true, SETTLE_MS]);
  await clock.advance(SETTLE_MS);
  assert.deepEqual(await versions(), ['1.0.0', false, null]);
  writeFileSync(join(directory, 'package.json'), packageJson({ version: '2.0.0' }));
  assert.deepEqual(await versions(), ['1.0.0', false, SETTLE_MS]);
  await clock.advance(SETTLE_MS - 1);
  writeFiles(directory, { 'lib.js': '' });
  assert.deepEqual(await versions(), ['1.0.0', false, SETTLE_MS]);
  await clock.advance(SETTLE_MS);
  assert.deepEqual(await versions(), ['2.0.0', false, null]);
  rmSync(directory, { recursive: true });
  assert.deepEqual(await versions(), ['', false, null]);
});
