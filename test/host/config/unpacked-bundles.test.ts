import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type BundleArchive, findBundles } from '../../../host/config/bundle-search.ts';
import { DEFAULT_SETTINGS } from '../../../host/config/settings.ts';
import { type Unpacked, UnpackedBundles } from '../../../host/config/unpacked-bundles.ts';
import { packed, tgz } from '../../support/archive.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { NO_DISKS, SmallDisk } from '../../support/small-disk.ts';
import { tempDir } from '../../support/temp-dir.ts';

const LIMITS = DEFAULT_SETTINGS.archives;

interface Setting {
  readonly plugins: string;
  readonly data: string | null;
  readonly clock: FakeClock;
  readonly unpacked: UnpackedBundles;
  /** Begins, waits until all has ended, and says what became of each archive, by its name. */
  look(limits?: typeof LIMITS): Promise<Record<string, Unpacked>>;
}

function setUp(t: TestContext, given: { data?: string | null } = {}): Setting {
  const root = tempDir(t);
  const plugins = join(root, 'plugins');
  mkdirSync(plugins);
  const data = given.data === undefined ? join(root, 'data') : given.data;
  const clock = new FakeClock();
  const unpacked = new UnpackedBundles({ dataDirectory: data, clock });
  t.after(() => unpacked.close());
  const archives = async (): Promise<BundleArchive[]> =>
    (await findBundles(plugins)).found.filter((found) => found.kind === 'archive');
  const look: Setting['look'] = async (limits = LIMITS) => {
    const found = await archives();
    unpacked.observe(found, limits);
    await unpacked.settled();
    return Object.fromEntries(found.map((archive) => [archive.folder, unpacked.of(archive)]));
  };
  return { plugins, data, clock, unpacked, look };
}

function directoryOf(unpacked: Unpacked | undefined): string {
  assert.ok(unpacked?.kind === 'ok', JSON.stringify(unpacked));
  return unpacked.directory;
}

const inHome = ({ data }: Setting): string[] => readdirSync(join(data ?? '', 'unpacked')).sort();

describe('unpacked bundles', () => {
  it('unpacks an archive into a folder with the name of its content, once, whatever the file is called', async (t) => {
    const setting = setUp(t);
    const archive = packed({ 'package.json': '{}', 'index.ts': '1' });
    writeFileSync(join(setting.plugins, 'a.tgz'), archive);
    const first = directoryOf((await setting.look())['a.tgz']);
    assert.match(first, /\/data\/unpacked\/[0-9a-f]{64}$/);
    assert.equal(readFileSync(join(first, 'index.ts'), 'utf8'), '1');
    const made = statSync(join(first, 'index.ts')).ino;
    writeFileSync(join(setting.plugins, 'b.tar.gz'), archive);
    const second = await setting.look();
    assert.deepEqual([directoryOf(second['a.tgz']), directoryOf(second['b.tar.gz'])], [first, first]);
    const again = new UnpackedBundles({ dataDirectory: setting.data, clock: setting.clock });
    const { found } = await findBundles(setting.plugins);
    again.observe(found as BundleArchive[], LIMITS);
    await again.settled();
    assert.equal(statSync(join(first, 'index.ts')).ino, made, 'what an earlier process unpacked is used');
    assert.equal(statSync(join(setting.data ?? '', 'unpacked')).mode & 0o777, 0o700);
  });

  it('refuses a bad archive for as long as it is the same, and leaves nothing of it behind', async (t) => {
    const setting = setUp(t);
    const path = join(setting.plugins, 'a.tgz');
    writeFileSync(path, tgz({ name: 'package/a' }, { name: 'package/b', type: '2', linkname: '/' }));
    const state = (await setting.look())['a.tgz'];
    assert.ok(state?.kind === 'refused');
    assert.equal(state.why.code, 'HOST_ERR_BUNDLE_ARCHIVE');
    assert.deepEqual(inHome(setting), []);
    assert.equal((await setting.look())['a.tgz'], state, 'it is not looked at again');
    assert.equal(setting.unpacked.waitMs(), null);
    writeFileSync(path, packed({ 'package.json': '{}' }));
    assert.equal((await setting.look())['a.tgz']?.kind, 'ok');
  });

  it('looks at an archive again when a limit changes', async (t) => {
    const setting = setUp(t);
    writeFileSync(join(setting.plugins, 'a.tgz'), packed({ 'package.json': '{}' }));
    assert.equal((await setting.look({ ...LIMITS, maxBytes: 1_024 }))['a.tgz']?.kind, 'refused');
    assert.equal((await setting.look())['a.tgz']?.kind, 'ok');
  });

  it('never takes what a killed process left half done for a bundle, and clears it away', async (t) => {
    const setting = setUp(t);
    writeFileSync(join(setting.plugins, 'a.tgz'), packed({ 'package.json': '{}', 'index.ts': 'new' }));
    const whole = directoryOf((await setting.look())['a.tgz']);
    const left = [`${whole}.partial`, join(whole, '..', `${'0'.repeat(64)}.partial`)];
    for (const folder of left) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'index.ts'), 'half');
    }
    writeFileSync(join(whole, '..', 'mine.txt'), 'what is not khook’s stays');
    await setting.unpacked.sweep(() => []);
    assert.deepEqual(inHome(setting), [whole.split('/').at(-1), 'mine.txt']);
  });

  it('begins anew where a killed process had begun', async (t) => {
    const setting = setUp(t);
    writeFileSync(join(setting.plugins, 'a.tgz'), packed({ 'package.json': '{}', 'index.ts': 'whole' }));
    const directory = directoryOf((await setting.look())['a.tgz']);
    const other = setUp(t);
    const partial = join(other.data ?? '', 'unpacked', `${directory.split('/').at(-1)}.partial`);
    mkdirSync(partial, { recursive: true });
    writeFileSync(join(partial, 'stray.ts'), 'half');
    writeFileSync(join(other.plugins, 'a.tgz'), packed({ 'package.json': '{}', 'index.ts': 'whole' }));
    assert.deepEqual(readdirSync(directoryOf((await other.look())['a.tgz'])).sort(), ['index.ts', 'package.json']);
  });

  it('sweeps away what neither an archive nor a plugin needs, and nothing else', async (t) => {
    const setting = setUp(t);
    const path = join(setting.plugins, 'a.tgz');
    const directories: string[] = [];
    for (const text of ['1', '2', '3']) {
      writeFileSync(path, packed({ 'index.ts': text }));
      directories.push(directoryOf((await setting.look())['a.tgz']));
    }
    const [, second = ''] = directories;
    await setting.unpacked.sweep(() => [second]);
    assert.deepEqual(directories.map(existsSync), [false, true, true]);
    await setting.unpacked.sweep(() => []);
    assert.deepEqual(directories.map(existsSync), [false, false, true]);
  });

  it('gives up what is not there any more', async (t) => {
    const setting = setUp(t);
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`${n}.js`, 'x'.repeat(500)]));
    writeFileSync(join(setting.plugins, 'a.tgz'), packed(many));
    const { found } = await findBundles(setting.plugins);
    setting.unpacked.observe(found as BundleArchive[], LIMITS);
    assert.deepEqual(
      [setting.unpacked.of(found[0] as BundleArchive).kind, setting.unpacked.waitMs()],
      ['working', 250],
    );
    setting.unpacked.observe([], LIMITS);
    await setting.unpacked.settled();
    assert.deepEqual(setting.unpacked.waitMs(), null);
    const left = existsSync(join(setting.data ?? '', 'unpacked')) ? inHome(setting) : [];
    assert.deepEqual(left, []);
  });

  it('gives up one that takes too long, so that the others have their turn', async (t) => {
    const setting = setUp(t);
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`${n}.js`, 'x'.repeat(500)]));
    writeFileSync(join(setting.plugins, 'a.tgz'), packed(many));
    writeFileSync(join(setting.plugins, 'b.tgz'), packed({ 'package.json': '{}' }));
    const looking = setting.look();
    await eventually(() => inHome(setting).length > 0);
    await setting.clock.advance(300_000);
    const { 'a.tgz': slow, 'b.tgz': other } = await looking;
    assert.ok(slow?.kind === 'refused');
    assert.match(slow.why.message, /could not be unpacked within 5m/);
    assert.equal(other?.kind, 'ok');
  });

  it('without a data folder uses a temporary one of this process, gone when it is closed', async (t) => {
    const setting = setUp(t, { data: null });
    writeFileSync(join(setting.plugins, 'a.tgz'), packed({ 'package.json': '{}' }));
    const directory = directoryOf((await setting.look())['a.tgz']);
    const home = join(directory, '..');
    assert.ok(directory.startsWith(tmpdir()) && existsSync(directory));
    assert.equal(statSync(home).mode & 0o777, 0o700);
    await setting.unpacked.close();
    assert.ok(!existsSync(home));
  });

  it('tries again when the disk was full', { skip: NO_DISKS }, async (t) => {
    const disk = SmallDisk.mount(t, 64);
    if (disk === null) return t.skip('nothing can be mounted');
    const setting = setUp(t, { data: disk.path });
    writeFileSync(join(setting.plugins, 'a.tgz'), packed({ 'package.json': '{}', 'a.js': 'x'.repeat(200_000) }));
    const state = (await setting.look())['a.tgz'];
    assert.ok(state?.kind === 'failed', JSON.stringify(state));
    assert.equal(state.why.code, 'HOST_ERR_BUNDLE_UNPACK');
    assert.match(state.why.message, /cannot be unpacked below '.*unpacked': .*no space left/);
    assert.deepEqual(inHome(setting), [], 'what was written of it is gone: the disk is needed');
    assert.equal(setting.unpacked.waitMs(), 5_000);
    disk.grow(1_024);
    assert.equal((await setting.look())['a.tgz'], state, 'not before its time');
    await setting.clock.advance(5_000);
    assert.equal((await setting.look())['a.tgz']?.kind, 'ok');
  });

  it('says that the place cannot be written, or the archive not be read', async (t) => {
    if (process.getuid?.() === 0 && process.seteuid !== undefined) {
      process.seteuid(65_534);
      t.after(() => process.seteuid?.(0));
    }
    const whyNot = async (setting: Setting): Promise<string> => {
      const state = (await setting.look())['a.tgz'];
      assert.ok(state?.kind === 'failed', JSON.stringify(state));
      return state.why.message;
    };
    const closed = setUp(t);
    mkdirSync(closed.data ?? '', { mode: 0o500 });
    writeFileSync(join(closed.plugins, 'a.tgz'), packed({ 'package.json': '{}' }));
    assert.match(await whyNot(closed), /cannot be unpacked below '.*data.*permission denied/);
    const secret = setUp(t);
    writeFileSync(join(secret.plugins, 'a.tgz'), packed({ 'package.json': '{}' }));
    chmodSync(join(secret.plugins, 'a.tgz'), 0);
    assert.match(await whyNot(secret), /cannot be read: .*permission denied/);
  });
});
