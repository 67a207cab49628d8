import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readEnvironment } from '../../../host/config/environment.ts';
import { followConfig } from '../../../host/config/follow.ts';
import { NO_HOOKS } from '../../../host/config/hook-source.ts';
import type { LoadedConfig } from '../../../host/config/loaded-config.ts';
import { ConfigLoader } from '../../../host/config/loader.ts';
import { watchConfig } from '../../../host/config/watch.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { packed } from '../../support/archive.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { packageJson, writeBundle, writeFiles } from './bundle-files.ts';

/** Everything must be in force this soon after the last write. */
const PROMPT_MS = 2_000;

interface Count {
  calls: number;
}

async function watching(
  t: TestContext,
  directories: () => readonly string[],
  clock = new FakeClock(),
): Promise<Count & { clock: FakeClock }> {
  const count = { calls: 0, clock };
  const watch = await watchConfig({
    directories,
    clock,
    onChange: () => {
      count.calls += 1;
    },
  });
  t.after(() => watch.close());
  return count;
}

/** The system tells of a write a little later; only then is there a timer to advance. 1: the poll. */
async function noticed({ clock }: { clock: FakeClock }): Promise<void> {
  await eventually(() => clock.pending > 1);
}

test('watch: calls once things are quiet, once for many changes', async (t) => {
  const directory = tempDir(t);
  const count = await watching(t, () => [directory]);
  for (let i = 0; i < 5; i += 1) writeFileSync(join(directory, `${i}`), '');
  await noticed(count);
  await count.clock.advance(99);
  assert.equal(count.calls, 0);
  await count.clock.advance(1);
  await eventually(() => count.calls === 1);
});

test('watch: says nothing when nothing changes', async (t) => {
  const directory = tempDir(t);
  writeFileSync(join(directory, 'a'), '');
  const count = await watching(t, () => [directory]);
  await count.clock.advance(10_000);
  assert.equal(count.calls, 0);
});

test('watch: the poll sees what the file system does not tell: a change behind a link', async (t) => {
  const directory = tempDir(t);
  const elsewhere = tempDir(t);
  writeFileSync(join(elsewhere, 'plugins.yaml'), 'a');
  symlinkSync(join(elsewhere, 'plugins.yaml'), join(directory, 'plugins.yaml'));
  const count = await watching(t, () => [directory]);
  appendFileSync(join(elsewhere, 'plugins.yaml'), 'b');
  await settle();
  assert.equal(count.clock.pending, 1, 'nobody told');
  await count.clock.advance(1_000);
  await noticed(count);
  await count.clock.advance(100);
  await eventually(() => count.calls === 1);
});

test('watch: sees a folder appear, and go, and another one take its place', async (t) => {
  const directory = join(tempDir(t), 'later');
  const count = await watching(t, () => [directory]);
  const expectCall = async (n: number): Promise<void> => {
    await eventually(async () => {
      await count.clock.advance(1_100);
      return count.calls >= n;
    });
  };
  mkdirSync(directory);
  await expectCall(1);
  rmSync(directory, { recursive: true });
  await expectCall(2);
  mkdirSync(directory);
  writeFileSync(join(directory, 'a'), '');
  await expectCall(3);
  await eventually(async () => {
    const calls = count.calls;
    await count.clock.advance(2_000);
    return calls === count.calls && count.clock.pending === 1;
  });
  const before = count.calls;
  // The new folder is watched anew: told by the system, not by the poll.
  writeFileSync(join(directory, 'b'), '');
  await noticed(count);
  await count.clock.advance(100);
  await eventually(() => count.calls > before);
});

test('watch: sees the swap of the link by which Kubernetes replaces a ConfigMap, again and again', async (t) => {
  const directory = tempDir(t);
  const version = (n: number): void => {
    writeFiles(join(directory, `..2024_${n}`), { 'plugins.yaml': `# ${n}` });
    symlinkSync(`..2024_${n}`, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    rmSync(join(directory, `..2024_${n - 1}`), { recursive: true, force: true });
  };
  version(1);
  symlinkSync('..data/plugins.yaml', join(directory, 'plugins.yaml'));
  const count = await watching(t, () => [directory]);
  for (const n of [2, 3]) {
    version(n);
    await noticed(count);
    await count.clock.advance(100);
    await eventually(() => count.calls === n - 1);
  }
});

test('watch: a folder that is never quiet is read all the same', async (t) => {
  const directory = tempDir(t);
  const count = await watching(t, () => [directory]);
  for (let i = 0; i < 100 && count.calls === 0; i += 1) {
    writeFileSync(join(directory, 'log'), `${i}`);
    await settle();
    await count.clock.advance(50);
  }
  assert.ok(count.calls > 0);
});

test('watch: never calls while a call is under way, and not after it was closed', async (t) => {
  const directory = tempDir(t);
  const clock = new FakeClock();
  let running = 0;
  let calls = 0;
  let finish: () => void = () => {};
  const watch = await watchConfig({
    directories: () => [directory],
    clock,
    onChange: async () => {
      running += 1;
      calls += 1;
      assert.equal(running, 1);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      running -= 1;
    },
  });
  writeFileSync(join(directory, 'a'), '');
  await noticed({ clock });
  await clock.advance(100);
  await eventually(() => running === 1);
  writeFileSync(join(directory, 'b'), '');
  await clock.advance(1_000);
  assert.equal(calls, 1);
  finish();
  await noticed({ clock });
  await clock.advance(100);
  await eventually(() => calls === 2);
  const closed = watch.close();
  finish();
  await closed;
  writeFileSync(join(directory, 'c'), '');
  await settle();
  assert.equal(clock.pending, 0);
  assert.equal(calls, 2);
});

interface Followed {
  readonly root: string;
  readonly current: () => LoadedConfig;
}

async function following(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<Followed> {
  const root = tempDir(t);
  for (const folder of ['config', 'plugins']) mkdirSync(join(root, folder));
  writeFiles(join(root, 'config'), files);
  const loader = new ConfigLoader({
    configDirectory: join(root, 'config'),
    pluginsDirectory: join(root, 'plugins'),
    hooks: NO_HOOKS,
    environment: readEnvironment({}).environment,
    connectionProblem: () => null,
  });
  let current: LoadedConfig | null = null;
  const follower = await followConfig({
    loader,
    clock: systemClock,
    onLoaded: (config) => {
      current = config;
    },
  });
  t.after(() => follower.close());
  return { root, current: () => current ?? follower.current };
}

function versions({ plans }: LoadedConfig): string {
  return plans.map(({ name, kind, version }) => `${name} ${kind} ${version}`).join();
}

async function promptly(what: string, check: () => boolean): Promise<void> {
  const started = performance.now();
  await eventually(check);
  const took = performance.now() - started;
  assert.ok(took < PROMPT_MS, `${what} took ${Math.round(took)} ms`);
}

test('follow: a bundle that is dropped, replaced and removed is in force within two seconds', async (t) => {
  const { root, current } = await following(t);
  assert.equal(versions(current()), '');
  const directory = writeBundle(join(root, 'plugins'));
  await promptly('dropping', () => versions(current()) === 'webhook run 1.0.0');
  writeFileSync(join(directory, 'package.json'), packageJson({ version: '2.0.0' }));
  await promptly('replacing', () => versions(current()) === 'webhook run 2.0.0');
  rmSync(directory, { recursive: true });
  await promptly('removing', () => versions(current()) === '');
});

test('follow: a bundle that is copied slowly is taken once, when it is complete', async (t) => {
  const { root, current } = await following(t);
  const directory = writeBundle(join(root, 'plugins'), { main: 'main.ts' });
  for (let i = 0; i < 8; i += 1) {
    writeFiles(directory, { [`lib/${i}.js`]: '' });
    const until = performance.now() + 100;
    await eventually(() => performance.now() > until);
    assert.equal(versions(current()), '', 'not taken while it grows');
  }
  writeFiles(directory, { 'main.ts': '' });
  await promptly('settling', () => versions(current()) === 'webhook run 1.0.0');
});

test('follow: a bundle that stands there already is in the first configuration', async (t) => {
  const root = tempDir(t);
  writeBundle(join(root, 'plugins'));
  const loader = new ConfigLoader({
    ...{ configDirectory: join(root, 'config'), pluginsDirectory: join(root, 'plugins'), hooks: NO_HOOKS },
    ...{ environment: readEnvironment({}).environment, connectionProblem: () => null },
  });
  await using follower = await followConfig({ loader, clock: systemClock, onLoaded: () => {} });
  assert.equal(versions(follower.current), 'webhook run 1.0.0');
});

test('follow: an archive that cannot be unpacked for now holds up neither the start nor the others', async (t) => {
  const root = tempDir(t);
  writeBundle(join(root, 'plugins'));
  const manifest = packageJson({ name: 'other' });
  writeFileSync(join(root, 'plugins/other.tgz'), packed({ 'package.json': manifest, 'index.ts': '' }));
  writeFileSync(join(root, 'file'), '');
  await using loader = new ConfigLoader({
    ...{ configDirectory: join(root, 'config'), pluginsDirectory: join(root, 'plugins'), hooks: NO_HOOKS },
    ...{ environment: readEnvironment({}).environment, connectionProblem: () => null },
    dataDirectory: join(root, 'file/data'),
  });
  let current: LoadedConfig | null = null;
  const started = performance.now();
  await using follower = await followConfig({
    loader,
    clock: systemClock,
    onLoaded: (config) => {
      current = config;
    },
  });
  assert.ok(performance.now() - started < PROMPT_MS + 1_000);
  assert.equal(versions(follower.current), 'other invalid ,webhook run 1.0.0');
  rmSync(join(root, 'file'));
  await eventually(() => current !== null && versions(current) === 'other run 1.0.0,webhook run 1.0.0');
});

test('follow: an edit of plugins.yaml, and the swap of a ConfigMap, are in force within two seconds', async (t) => {
  const { root, current } = await following(t, { 'plugins.yaml': 'settings: { maxPlugins: 1 }' });
  const config = join(root, 'config');
  assert.equal(current().settings.maxPlugins, 1);
  writeFileSync(join(config, 'plugins.yaml'), 'settings: { maxPlugins: 2 }');
  await promptly('editing', () => current().settings.maxPlugins === 2);
  rmSync(join(config, 'plugins.yaml'));
  for (const n of [3, 4]) {
    writeFiles(join(config, `..2024_${n}`), { 'plugins.yaml': `settings: { maxPlugins: ${n} }` });
    symlinkSync(`..2024_${n}`, join(config, '..data_tmp'));
    renameSync(join(config, '..data_tmp'), join(config, '..data'));
    if (n === 3) symlinkSync('..data/plugins.yaml', join(config, 'plugins.yaml'));
    await promptly('swapping', () => current().settings.maxPlugins === n);
  }
});

test('follow: a file deep in a bundle that changes in place is in force within two seconds', async (t) => {
  const { root, current } = await following(t);
  const directory = writeBundle(join(root, 'plugins'));
  writeFiles(directory, { 'lib/deep/a.js': '1' });
  const fingerprint = (): string => {
    const plan = current().plans[0];
    return plan?.kind === 'run' ? plan.spec.fingerprint : '';
  };
  await promptly('dropping', () => fingerprint() !== '');
  const before = fingerprint();
  writeFileSync(join(directory, 'lib/deep/a.js'), '2');
  await promptly('changing', () => fingerprint() !== before);
});
