import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readEnvironment } from '../../../host/config/environment.ts';
import type { ConfigEvents } from '../../../host/config/events.ts';
import { hooksFolder, NO_HOOKS } from '../../../host/config/hook-source.ts';
import type { LoadedConfig } from '../../../host/config/loaded-config.ts';
import { ConfigLoader } from '../../../host/config/loader.ts';
import { DEFAULT_MAPPINGS } from '../../../host/config/mappings-file.ts';
import type { PluginPlan } from '../../../host/config/plugin-plan.ts';
import { packed } from '../../support/archive.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { packageJson, writeBundle, writeFiles } from './bundle-files.ts';

interface Setting {
  readonly root: string;
  readonly plugins: string;
  readonly loader: ConfigLoader;
  readonly said: { name: keyof ConfigEvents; payload: unknown }[];
  /** Writes into the folder of the configuration. */
  write(files: Readonly<Record<string, string>>): void;
  names(name: keyof ConfigEvents): unknown[];
}

const EVENT_NAMES: readonly (keyof ConfigEvents)[] = [
  'config:loaded',
  'config:reloaded',
  'config:rejected',
  'config:problem',
  'config:noted',
  'mapping:loaded',
  'mappings:loaded',
  'hooks:loaded',
];

function setUp(
  t: TestContext,
  variables: Record<string, string> = {},
  given: { pluginsDirectory?: null; dataDirectory?: string } = {},
): Setting {
  const root = tempDir(t);
  for (const folder of ['config', 'plugins', 'hooks']) mkdirSync(join(root, folder));
  const plugins = join(root, 'plugins');
  const loader = new ConfigLoader({
    configDirectory: join(root, 'config'),
    pluginsDirectory: plugins,
    hooks: hooksFolder(join(root, 'hooks'), variables.POD_NAMESPACE ?? null),
    environment: readEnvironment(variables).environment,
    connectionProblem: () => null,
    clock: new FakeClock(),
    ...given,
    dataDirectory: given.dataDirectory === undefined ? null : join(root, given.dataDirectory),
  });
  const said: Setting['said'] = [];
  for (const name of EVENT_NAMES) loader.events.on(name, (payload) => said.push({ name, payload }));
  return {
    ...{ root, plugins, loader, said },
    write: (files) => writeFiles(join(root, 'config'), files),
    names: (name) => said.filter((one) => one.name === name).map(({ payload }) => payload),
  };
}

function kinds({ plans }: LoadedConfig): string[] {
  return plans.map(({ name, kind }) => `${name} ${kind}`);
}

function specOf({ plans }: LoadedConfig, name = 'webhook'): Extract<PluginPlan, { kind: 'run' }>['spec'] {
  const plan = plans.find((one) => one.name === name);
  assert.ok(plan?.kind === 'run', JSON.stringify(plan));
  return plan.spec;
}

function hookYaml(name: string, prompt = 'look'): string {
  return [
    'apiVersion: kagent.dev/v1alpha2',
    'kind: Hook',
    `metadata: { name: ${name}, namespace: default }`,
    'spec:',
    '  eventConfigurations:',
    `    - { eventType: pod-restart, agentRef: { name: agent }, prompt: ${prompt} }`,
    '',
  ].join('\n');
}

const MAPPING = 'mappings:\n  - { eventSource: webhook, eventType: a, internalType: A }\n';

test('loader: an empty configuration is the defaults, and a bundle that needs nothing runs', async (t) => {
  const { loader, plugins, names } = setUp(t);
  writeBundle(plugins);
  const loaded = await loader.load();
  assert.deepEqual(kinds(loaded), ['webhook run']);
  assert.deepEqual(loaded.problems, []);
  assert.equal(loaded.mappings.length, DEFAULT_MAPPINGS.length);
  assert.deepEqual(names('config:loaded'), [
    { hash: loaded.hash, plugins: 1, mappings: DEFAULT_MAPPINGS.length, hooks: 0 },
  ]);
  assert.equal(loaded.settleInMs, null);
});

test('loader: what did not change is said once', async (t) => {
  const { loader, write, said } = setUp(t);
  write({ 'event-mappings.yaml': MAPPING, 'plugins.yaml': 'plugins: [{ name: ghost }]\n' });
  const first = await loader.load();
  const count = said.length;
  const second = await loader.load();
  assert.equal(second.hash, first.hash);
  assert.equal(said.length, count, JSON.stringify(said.slice(count)));
  assert.equal(second.problems.length, 1);
});

test('loader: a bad plugins.yaml on the first load is a problem and yields the defaults', async (t) => {
  const { loader, plugins, write, names } = setUp(t);
  writeBundle(plugins);
  write({ 'plugins.yaml': 'plugins: [\n' });
  const loaded = await loader.load();
  assert.deepEqual(kinds(loaded), ['webhook run']);
  assert.equal(loaded.problems[0]?.code, 'HOST_ERR_CONFIG_FILE');
  assert.equal(names('config:rejected').length, 1);
});

test('loader: a plugins.yaml that goes bad as a whole keeps its last good content in force', async (t) => {
  const { loader, plugins, write, names } = setUp(t);
  writeBundle(plugins);
  write({ 'plugins.yaml': 'plugins: [{ name: webhook, config: { a: 1 } }]\nsettings: { maxPlugins: 3 }\n' });
  const before = await loader.load();
  write({ 'plugins.yaml': 'plugins: {{{\n' });
  const after = await loader.load();
  assert.equal(after.settings.maxPlugins, 3);
  assert.equal(specOf(after).fingerprint, specOf(before).fingerprint);
  assert.equal(after.hash, before.hash);
  assert.deepEqual(names('config:rejected'), [{ file: join(loader.directories[0] ?? '', 'plugins.yaml') }]);
  assert.deepEqual(names('config:reloaded'), []);
  await loader.load();
  assert.equal(names('config:rejected').length, 1, 'said once');
  write({ 'plugins.yaml': 'plugins: [{ name: webhook, config: { a: 2 } }]\n' });
  assert.deepEqual({ ...specOf(await loader.load()).config }, { a: 2 });
});

test('loader: an entry that goes bad keeps the last good plan of its plugin, and the others change', async (t) => {
  const { loader, plugins, write } = setUp(t);
  writeBundle(plugins);
  writeBundle(plugins, { name: 'other' });
  const yaml = (webhook: string, other: number) =>
    `plugins:\n  - { name: webhook, ${webhook} }\n  - { name: other, config: { n: ${other} } }\n`;
  write({ 'plugins.yaml': yaml('config: { a: 1 }', 1) });
  const before = await loader.load();
  write({ 'plugins.yaml': yaml('confg: { a: 2 }', 2) });
  const after = await loader.load();
  assert.deepEqual(specOf(after), specOf(before));
  assert.deepEqual({ ...specOf(after, 'other').config }, { n: 2 });
  assert.equal(after.problems.length, 1);
  write({ 'plugins.yaml': yaml('enabled: false', 2) });
  assert.deepEqual(kinds(await loader.load()), ['webhook disabled', 'other run']);
});

test('loader: config that goes against the schema keeps the last good plan, unless the bundle is another one', async (t) => {
  const { loader, plugins, write } = setUp(t);
  const config = { type: 'object', properties: { a: { type: 'integer' } } };
  const directory = writeBundle(plugins, { khook: { config } });
  write({ 'plugins.yaml': 'plugins: [{ name: webhook, config: { a: 1 } }]' });
  await loader.load();
  write({ 'plugins.yaml': 'plugins: [{ name: webhook, config: { a: x } }]' });
  assert.deepEqual({ ...specOf(await loader.load()).config }, { a: 1 });
  writeFileSync(join(directory, 'index.ts'), 'export default 22;\n');
  assert.deepEqual(kinds(await loader.load()), ['webhook invalid']);
});

test('loader: a mappings file that goes bad keeps the last good mappings; a bad mapping alone is skipped', async (t) => {
  const { loader, write, names } = setUp(t);
  write({ 'event-mappings.yaml': MAPPING });
  await loader.load();
  write({ 'event-mappings.yaml': 'mappings: 7\n' });
  const bad = await loader.load();
  assert.deepEqual(
    bad.mappings.map(({ internalType }) => internalType),
    ['A'],
  );
  assert.equal(names('config:rejected').length, 1);
  write({
    'event-mappings.yaml': `${MAPPING}  - { eventSource: webhook }\n  - { eventSource: w, eventType: b, internalType: B }\n`,
  });
  const partly = await loader.load();
  assert.deepEqual(
    partly.mappings.map(({ internalType }) => internalType),
    ['A', 'B'],
  );
  assert.equal(partly.problems[0]?.code, 'HOST_ERR_MAPPING');
  assert.equal(names('config:reloaded').length, 1);
});

test('loader: a Hook that goes bad keeps its last good version, and one that is removed goes', async (t) => {
  const { loader, root } = setUp(t);
  writeFiles(join(root, 'hooks'), {
    'a.yaml': `${hookYaml('one')}---\n${hookYaml('two')}`,
    'b.yaml': hookYaml('three'),
  });
  assert.equal((await loader.load()).hooks.length, 3);
  const broken = hookYaml('one').replace('eventType', 'evntType');
  writeFiles(join(root, 'hooks'), { 'a.yaml': broken, 'b.yaml': hookYaml('three', 'again') });
  const loaded = await loader.load();
  assert.deepEqual(loaded.hooks.map((hook) => [hook.name, hook.eventConfigurations[0]?.prompt]).sort(), [
    ['one', 'look'],
    ['three', 'again'],
  ]);
  assert.ok(loaded.problems.some(({ code }) => code === 'HOST_ERR_HOOK'));
  writeFiles(join(root, 'hooks'), { 'b.yaml': 'kind: [\n' });
  rmSync(join(root, 'hooks/a.yaml'));
  assert.deepEqual(
    (await loader.load()).hooks.map(({ name }) => name),
    ['three'],
  );
});

test('loader: bundles come, change and go, and each reload names what changed', async (t) => {
  const { loader, plugins, names } = setUp(t);
  await loader.load();
  const directory = writeBundle(plugins);
  const first = specOf(await loader.load());
  writeFileSync(join(directory, 'package.json'), packageJson({ version: '1.1.0' }));
  const second = specOf(await loader.load());
  assert.equal(second.version, '1.1.0');
  assert.notEqual(second.fingerprint, first.fingerprint);
  rmSync(directory, { recursive: true });
  assert.deepEqual(kinds(await loader.load()), []);
  const file = join(directory, 'package.json');
  assert.deepEqual(
    names('config:reloaded').map((payload) => (payload as { changed: string[] }).changed),
    [[file], [file], [file]],
  );
});

test('loader: a bundle that is still being copied is left out, its replacement keeps the old plan, and both are taken in the end', async (t) => {
  const root = tempDir(t);
  const clock = new FakeClock();
  mkdirSync(join(root, 'plugins'));
  const environment = readEnvironment({}).environment;
  const loader = new ConfigLoader({
    ...{ configDirectory: root, pluginsDirectory: join(root, 'plugins'), hooks: NO_HOOKS },
    ...{ environment, connectionProblem: () => null, clock },
  });
  const load = () => loader.load({ settledOnly: true });
  writeFiles(root, { 'plugins.yaml': 'plugins: [{ name: webhook }]' });
  const directory = writeBundle(join(root, 'plugins'));
  const growing = await load();
  assert.deepEqual([kinds(growing), growing.problems, growing.settleInMs], [[], [], 250]);
  await clock.advance(250);
  const taken = await load();
  assert.deepEqual([kinds(taken), taken.settleInMs], [['webhook run'], null]);
  cpSync(directory, join(root, 'next'), { recursive: true });
  writeFileSync(join(root, 'next/package.json'), packageJson({ version: '2.0.0' }));
  rmSync(directory, { recursive: true });
  renameSync(join(root, 'next'), directory);
  const replaced = await load();
  assert.equal(specOf(replaced).fingerprint, specOf(taken).fingerprint);
  assert.equal(replaced.settleInMs, 250);
  await clock.advance(250);
  assert.equal(specOf(await load()).version, '2.0.0');
});

test('loader: what was unpacked stays until nothing older than the configuration that dropped it runs', async (t) => {
  const { loader, plugins, root } = setUp(t, {}, { dataDirectory: 'data' });
  const unpacked = (): number => readdirSync(join(root, 'data/unpacked')).length;
  const drop = (version: string): Promise<LoadedConfig> => {
    const files = { 'package.json': packageJson({ version }), 'index.ts': '' };
    writeFileSync(join(plugins, 'webhook.tgz'), packed(files));
    return loader.load();
  };
  const first = await drop('1.0.0');
  const second = await drop('2.0.0');
  const third = await drop('3.0.0');
  assert.equal(specOf(third).version, '3.0.0');
  assert.notEqual(specOf(third).directory, specOf(second).directory);
  await loader.dropBefore(first);
  assert.equal(unpacked(), 3, 'its successors may be on their way into force');
  await loader.dropBefore(second);
  assert.deepEqual([unpacked(), existsSync(specOf(second).directory)], [2, true]);
  await loader.dropBefore(third);
  assert.deepEqual([unpacked(), existsSync(specOf(third).directory)], [1, true]);
  rmSync(join(plugins, 'webhook.tgz'));
  const last = await loader.load();
  await loader.dropBefore(third);
  assert.equal(unpacked(), 1);
  await loader.dropBefore(last);
  assert.equal(unpacked(), 0);
});

test('loader: the plugins folder of the settings counts when none is given', async (t) => {
  const { loader, plugins, root, write } = setUp(t, {}, { pluginsDirectory: null });
  writeBundle(plugins);
  write({ 'plugins.yaml': `settings: { pluginDirectory: ${JSON.stringify(join(root, 'nowhere'))} }` });
  const missing = await loader.load();
  assert.match(missing.problems[0]?.message ?? '', /nowhere' does not exist/);
  write({ 'plugins.yaml': `settings: { pluginDirectory: ${JSON.stringify(plugins)} }` });
  const loaded = await loader.load();
  assert.deepEqual(kinds(loaded), ['webhook run']);
  assert.ok(loaded.directories.includes(plugins) && loaded.directories.includes(join(plugins, 'webhook')));
});

test('loader: the hash does not depend on secrets of the environment, the fingerprint does', async (t) => {
  const load = async (token: string) => {
    const { loader, plugins, write } = setUp(t, { TOKEN: token });
    writeBundle(plugins);
    write({ 'plugins.yaml': 'plugins: [{ name: webhook, config: { token: "${TOKEN}" } }]' });
    return loader.load();
  };
  const [one, other] = [await load('a'), await load('b')];
  assert.equal(one.hash, other.hash);
  assert.notEqual(specOf(one).fingerprint, specOf(other).fingerprint);
});

test('loader: loads one at a time', async (t) => {
  const { loader, names } = setUp(t);
  await Promise.all([loader.load(), loader.load(), loader.load()]);
  assert.equal(names('config:loaded').length, 1);
});
