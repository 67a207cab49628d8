import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SETTLE_MS } from '../../../host/config/bundle-settling.ts';
import { BundleShelf, type ShelfView } from '../../../host/config/bundle-shelf.ts';
import { DEFAULT_SETTINGS } from '../../../host/config/settings.ts';
import { packed, tgz } from '../../support/archive.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { packageJson, scanBundles, type WrittenBundle, writeBundle } from './bundle-files.ts';

/** As `npm pack` makes it. */
function archiveOf(bundle: WrittenBundle = {}, files: Readonly<Record<string, string>> = {}): Buffer {
  return packed({ 'package.json': packageJson(bundle), 'index.ts': 'export default 1;\n', ...files });
}

interface Setting {
  readonly plugins: string;
  readonly data: string;
  readonly clock: FakeClock;
  readonly shelf: BundleShelf;
  /** After the time that a bundle needs to settle. */
  settled(): Promise<ShelfView>;
  look(): Promise<ShelfView>;
}

function setUp(t: TestContext): Setting {
  const root = tempDir(t);
  const plugins = join(root, 'plugins');
  mkdirSync(plugins);
  const clock = new FakeClock();
  const data = join(root, 'data');
  const shelf = new BundleShelf({ clock, dataDirectory: data });
  t.after(() => shelf.close());
  const look = (): Promise<ShelfView> =>
    shelf.look({ pluginsDirectory: plugins, takeGrowing: false, archives: DEFAULT_SETTINGS.archives });
  const settled = async (): Promise<ShelfView> => {
    await look();
    await clock.advance(SETTLE_MS);
    return look();
  };
  return { plugins, data, clock, shelf, look, settled };
}

const versions = ({ bundles }: ShelfView): string[] =>
  bundles.map(({ folder, manifest }) => `${folder} ${manifest.name} ${manifest.version}`);
const messages = ({ problems }: ShelfView): string[] => problems.map(({ message }) => message);

describe('bundle shelf: archives', () => {
  it('takes an archive like a folder, from a folder of its own below the data folder', async (t) => {
    const { plugins, data, settled } = setUp(t);
    writeFileSync(join(plugins, 'webhook-1.0.0.tgz'), archiveOf());
    const view = await settled();
    assert.deepEqual([versions(view), view.problems, view.settleInMs], [['webhook-1.0.0.tgz webhook 1.0.0'], [], null]);
    const [bundle] = view.bundles;
    assert.ok(bundle !== undefined);
    assert.ok(
      bundle.directory.startsWith(join(data, 'unpacked/')) && bundle.entry === join(bundle.directory, 'index.ts'),
    );
    assert.equal(bundle.file, join(plugins, 'webhook-1.0.0.tgz/package.json'));
  });

  it('looks at files of that name alone, and leaves those alone that begin with a dot or a low line', async (t) => {
    const { plugins, settled } = setUp(t);
    for (const name of ['.a.tgz', '_a.tgz', 'a.tar', 'a.zip', 'tgz', 'a.tgz.tmp']) {
      writeFileSync(join(plugins, name), archiveOf());
    }
    symlinkSync('nowhere', join(plugins, 'b.tgz'));
    writeBundle(plugins, { name: 'folder' }, 'folder.tgz');
    const view = await settled();
    assert.deepEqual([versions(view), view.problems], [['folder.tgz folder 1.0.0'], []]);
  });

  it('takes an archive only when it has stopped growing, and keeps what was there until then', async (t) => {
    const { plugins, clock, look } = setUp(t);
    const path = join(plugins, 'webhook.tgz');
    const first = archiveOf();
    writeFileSync(path, first.subarray(0, 100));
    assert.deepEqual([versions(await look()), (await look()).isGrowing], [[], true]);
    await clock.advance(SETTLE_MS - 1);
    writeFileSync(path, first);
    const growing = await look();
    assert.deepEqual([growing.problems, growing.settleInMs], [[], SETTLE_MS]);
    await clock.advance(SETTLE_MS);
    assert.deepEqual(versions(await look()), ['webhook.tgz webhook 1.0.0']);
    writeFileSync(path, archiveOf({ version: '2.0.0' }));
    assert.deepEqual(versions(await look()), ['webhook.tgz webhook 1.0.0']);
    await clock.advance(SETTLE_MS);
    assert.deepEqual(versions(await look()), ['webhook.tgz webhook 2.0.0']);
    rmSync(path);
    const gone = await look();
    assert.deepEqual([versions(gone), gone.isGrowing, gone.settleInMs], [[], false, null]);
  });

  it('has the same stamp for the same content, whenever it was written', async (t) => {
    const { plugins, settled } = setUp(t);
    const path = join(plugins, 'webhook.tgz');
    writeFileSync(path, archiveOf());
    const before = (await settled()).bundles[0];
    writeFileSync(`${path}.next`, archiveOf());
    renameSync(`${path}.next`, path);
    assert.deepEqual((await settled()).bundles[0], before);
  });

  it('keeps in force what was unpacked before when an archive cannot take its place, and says so', async (t) => {
    const { plugins, settled, shelf } = setUp(t);
    const path = join(plugins, 'webhook.tgz');
    writeFileSync(path, archiveOf());
    const good = (await settled()).bundles[0];
    const evil = tgz({ name: 'package/package.json', type: '2', linkname: '/etc/passwd' });
    for (const [bad, says] of [
      [
        Buffer.from('no archive'),
        /cannot be used: it is no gzip file; what was unpacked from it before stays in force/,
      ],
      [evil, /is a symbolic link.*stays in force/],
      [archiveOf({ khook: { eventTypes: [] } }), /eventTypes.*stays in force/],
    ] as const) {
      writeFileSync(path, bad);
      const view = await settled();
      assert.deepEqual(view.bundles, [good]);
      assert.match(messages(view).join('\n'), says);
      assert.equal(view.problems[0]?.subject, 'webhook');
    }
    await shelf.sweep(() => [good?.directory ?? '']);
    assert.ok(existsSync(good?.entry ?? ''));
    writeFileSync(path, archiveOf({ version: '2.0.0' }));
    const mended = await settled();
    assert.deepEqual([versions(mended), mended.problems], [['webhook.tgz webhook 2.0.0'], []]);
  });

  it('reports a bad archive in one problem that names it, under the name that npm pack gave it, and takes the others', async (t) => {
    const { plugins, settled } = setUp(t);
    const bad = join(plugins, 'kafka-1.2.3.tgz');
    writeFileSync(bad, tgz({ name: 'package/../../it' }));
    writeFileSync(join(plugins, 'my plugin.tgz'), '');
    writeFileSync(join(plugins, 'webhook.tgz'), archiveOf());
    const view = await settled();
    assert.deepEqual(versions(view), ['webhook.tgz webhook 1.0.0']);
    assert.deepEqual(
      view.problems.map(({ file, code, subject }) => [file, code, subject]),
      [
        [bad, 'HOST_ERR_BUNDLE_ARCHIVE', 'kafka'],
        [join(plugins, 'my plugin.tgz'), 'HOST_ERR_BUNDLE_ARCHIVE', 'my plugin.tgz'],
      ],
    );
    assert.match(messages(view)[0] ?? '', /the name of its entry 'package\/..\/..\/it' holds '\.\.'/);
    assert.deepEqual(
      view.broken.map(({ name }) => name),
      ['kafka', 'my plugin.tgz'],
    );
  });

  it('names the place in the manifest of an archive as if it were a folder', async (t) => {
    const plugins = tempDir(t);
    writeFileSync(join(plugins, 'a.tgz'), archiveOf({ khook: { apiVersion: 2 } }));
    const [problem] = (await scanBundles(plugins)).problems;
    assert.equal(problem?.file, join(plugins, 'a.tgz/package.json'));
    assert.ok((problem?.line ?? 0) > 1);
  });

  it('uses of a folder and an archive of one name the one that was used before, and names both', async (t) => {
    const { plugins, settled } = setUp(t);
    const archive = join(plugins, 'webhook-1.0.0.tgz');
    writeFileSync(archive, archiveOf());
    await settled();
    const folder = writeBundle(plugins, { version: '3.0.0' }, 'webhook');
    const both = await settled();
    assert.deepEqual(versions(both), ['webhook-1.0.0.tgz webhook 1.0.0']);
    assert.match(
      messages(both).join(),
      /two bundles are named 'webhook': 'webhook-1\.0\.0\.tgz' and 'webhook'; 'webhook-1\.0\.0\.tgz' is used/,
    );
    assert.equal(both.problems[0]?.file, join(folder, 'package.json'));
    rmSync(archive);
    const alone = await settled();
    assert.deepEqual([versions(alone), alone.problems], [['webhook webhook 3.0.0'], []]);
    writeFileSync(archive, archiveOf());
    assert.deepEqual(versions(await settled()), ['webhook webhook 3.0.0']);
  });

  it('takes an archive through the swap of a link, as a ConfigMap is mounted', async (t) => {
    const { plugins, settled } = setUp(t);
    const mount = (stamp: string, archive: Buffer): void => {
      mkdirSync(join(plugins, stamp));
      writeFileSync(join(plugins, stamp, 'webhook.tgz'), archive);
      symlinkSync(stamp, join(plugins, '..data_tmp'));
      renameSync(join(plugins, '..data_tmp'), join(plugins, '..data'));
    };
    mount('..2026_01', archiveOf());
    symlinkSync('..data/webhook.tgz', join(plugins, 'webhook.tgz'));
    assert.deepEqual(versions(await settled()), ['webhook.tgz webhook 1.0.0']);
    mount('..2026_02', archiveOf({ version: '2.0.0' }));
    assert.deepEqual(versions(await settled()), ['webhook.tgz webhook 2.0.0']);
  });

  it('does not wait for a large archive: the others are there at once, and it comes later', async (t) => {
    const { plugins, clock, shelf, look } = setUp(t);
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`lib/${n}.js`, `${n}`]));
    writeFileSync(join(plugins, 'large.tgz'), archiveOf({ name: 'large' }, many));
    writeBundle(plugins, { name: 'small' });
    await look();
    await clock.advance(SETTLE_MS);
    let view: ShelfView | null = null;
    const looking = look().then((seen) => {
      view = seen;
    });
    // Its patience ends by this clock.
    while (view === null) await clock.advance(SETTLE_MS);
    await looking;
    const { isGrowing, settleInMs, bundles }: ShelfView = view;
    assert.deepEqual([bundles.map(({ folder }) => folder), isGrowing, settleInMs], [['small'], true, 250]);
    const whole = await shelf.look({
      pluginsDirectory: plugins,
      takeGrowing: true,
      archives: DEFAULT_SETTINGS.archives,
    });
    assert.deepEqual(versions(whole), ['large.tgz large 1.0.0', 'small small 1.0.0']);
  });
});
