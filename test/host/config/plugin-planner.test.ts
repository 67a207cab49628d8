import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PluginPlan } from '../../../host/config/plugin-plan.ts';
import { type PlanInput, type PlannedPlugins, planPlugins } from '../../../host/config/plugin-planner.ts';
import { parsePluginsFile } from '../../../host/config/plugins-file.ts';
import { folderLookUp } from '../../../host/config/resolve-permissions.ts';
import { parseYamlText } from '../../../host/config/yaml-file.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { scanBundles, type WrittenBundle, writeBundle } from './bundle-files.ts';

const PORT_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: { port: { type: 'integer', minimum: 1, maximum: 65_535, default: 8090 }, path: { type: 'string' } },
};
const LISTENER: WrittenBundle = {
  khook: { config: PORT_SCHEMA, permissions: { net: { listen: ['${config.port}'] } } },
};

interface Given {
  readonly bundles?: readonly WrittenBundle[];
  readonly yaml?: string;
  readonly root?: string;
  readonly input?: Partial<PlanInput>;
}

async function plan(
  t: TestContext,
  { bundles = [], yaml = '', root = tempDir(t), input = {} }: Given,
): Promise<PlannedPlugins> {
  const plugins = join(root, 'plugins');
  mkdirSync(plugins, { recursive: true });
  for (const bundle of bundles) writeBundle(plugins, bundle);
  const scan = await scanBundles(plugins);
  const text = parseYamlText('config/plugins.yaml', yaml);
  assert.ok(text.kind === 'ok', JSON.stringify(text));
  const file = parsePluginsFile(text.document, input.variables ?? {});
  const { entries, rejected, settings } = file;
  return planPlugins({
    ...{
      bundles: scan.bundles,
      broken: scan.broken,
      entries,
      rejected,
      settings,
      searched: [plugins],
      isGrowing: false,
    },
    ...{
      variables: {},
      isolation: null,
      connectionProblem: null,
      file: file.file,
      document: file.document,
      folder: folderLookUp(root),
    },
    ...input,
  });
}

async function planOne(t: TestContext, given: Given): Promise<PluginPlan> {
  const { plans } = await plan(t, given);
  assert.equal(plans.length, 1, JSON.stringify(plans));
  return plans[0]!;
}

test('plugin planner: a bundle that asks for nothing runs without an entry, with the defaults', async (t) => {
  const made = await planOne(t, { bundles: [{}] });
  assert.ok(made.kind === 'run', JSON.stringify(made));
  const { limits, rateLimit, namespaces, required, isolation, healthCheckIntervalMs, permissions } = made.spec;
  assert.deepEqual(limits, {
    memoryBytes: 64 * 1024 * 1024,
    startTimeoutMs: 30_000,
    stopTimeoutMs: 5_000,
    healthCheckTimeoutMs: 5_000,
    cpuShare: 0.85,
    hangTimeoutMs: 2_000,
    sockets: 1_024,
    files: 64,
    logLinesPerSecond: 200,
  });
  assert.deepEqual({ ...rateLimit }, { eventsPerSecond: 1_000, burst: 1_000, whenFull: 'block' });
  assert.deepEqual([namespaces, required, isolation, healthCheckIntervalMs], [null, false, 'thread', 30_000]);
  assert.equal(permissions.net.any, false);
});

test('plugin planner: the entry wins over the manifest, and the manifest over the defaults', async (t) => {
  const bundles = [{ khook: { limits: { memoryMb: 128, stopTimeout: '9s' }, isolation: 'process' } }];
  const yaml =
    'plugins: [{ name: webhook, limits: { memoryMb: 32 }, isolation: thread }]\nsettings: { loadTimeout: 7s }';
  const made = await planOne(t, { bundles, yaml });
  assert.ok(made.kind === 'run');
  const { limits, isolation } = made.spec;
  assert.deepEqual([limits.memoryBytes, limits.stopTimeoutMs, limits.startTimeoutMs], [32 * 1024 * 1024, 9_000, 7_000]);
  assert.equal(isolation, 'thread');
});

test('plugin planner: a stopTimeout that does not fit into shutdownGrace is named with both numbers, and the plugin runs', async (t) => {
  const root = tempDir(t);
  const settings = 'settings: { shutdownGrace: 10s }\n';
  const byEntry = `plugins:\n  - name: webhook\n    limits: { stopTimeout: 6s }\n${settings}`;
  const { plans, problems } = await plan(t, { root, bundles: [{}], yaml: byEntry });
  assert.equal(plans[0]?.kind === 'run' ? plans[0].spec.limits.stopTimeoutMs : 0, 6_000);
  assert.equal(problems.length, 1);
  const { code, path, line, message, fix } = problems[0]!;
  assert.deepEqual([code, path, line], ['HOST_ERR_CONFIG_CONFLICT', 'plugins[0].limits.stopTimeout', 3]);
  assert.match(
    message,
    /'limits\.stopTimeout' \(6s\) of plugin 'webhook' .*'settings\.shutdownGrace' \(10s\).* has 5s$/,
  );
  assert.match(fix, /at least 12s.*at most 5s/);
  const fits = await plan(t, { root, yaml: byEntry.replace('6s', '5s') });
  assert.deepEqual(fits.problems, []);

  const bundles = [{ khook: { limits: { stopTimeout: '1m' } } }];
  const byManifest = await plan(t, { root: tempDir(t), bundles, yaml: settings });
  assert.equal(byManifest.problems[0]?.path, 'khook.limits.stopTimeout');
  assert.match(byManifest.problems[0]?.file ?? '', /package\.json$/);
  // The default gives way in silence: nobody wrote it.
  assert.deepEqual((await plan(t, { bundles: [{}], yaml: 'settings: { shutdownGrace: 1s }' })).problems, []);
});

test('plugin planner: isolation is what the manifest asks for, unless the entry says otherwise', async (t) => {
  const root = tempDir(t);
  const bundles = [{ khook: { isolation: 'process' } }];
  const byManifest = await planOne(t, { root, bundles });
  const yaml = 'plugins:\n  - name: webhook\n    isolation: thread\n';
  const byEntry = await planOne(t, { root, yaml });
  const isolations = [byManifest, byEntry].map((made) => (made.kind === 'run' ? made.spec.isolation : made.kind));
  assert.deepEqual(isolations, ['process', 'thread']);
});

test('plugin planner: config gets its defaults and is held against the schema, in the words of the guide', async (t) => {
  const yaml = 'plugins:\n  - name: webhook\n    config:\n      port: 0\n';
  const { plans, problems } = await plan(t, { bundles: [LISTENER], yaml });
  assert.equal(plans[0]?.kind, 'invalid');
  assert.match(problems[0]?.message ?? '', /configuration 'port' must be (between 1 and 65535|at least 1).*0/);
  assert.deepEqual([problems[0]?.line, problems[0]?.path], [4, 'plugins[0].config.port']);
});

test('plugin planner: what is asked for and not granted blocks, and the remedy unblocks', async (t) => {
  const root = tempDir(t);
  const blocked = await planOne(t, {
    root,
    bundles: [LISTENER],
    yaml: 'plugins: [{ name: webhook, config: { port: 9000 } }]',
  });
  assert.ok(blocked.kind === 'blocked' && blocked.why === 'grants', JSON.stringify(blocked));
  assert.match(blocked.reason, /listen on port 9000/);
  assert.match(blocked.remedy, /^# config\/plugins\.yaml:1: give the entry of 'webhook'/);
  const granted = await planOne(t, {
    root,
    yaml: blocked.remedy.replace('permissions:', 'config: { port: 9000 }\n    permissions:'),
  });
  assert.ok(granted.kind === 'run', JSON.stringify(granted));
  assert.deepEqual(granted.spec.permissions.net.listen, [9000]);
});

test('plugin planner: the remedy for a bundle without an entry can be pasted as it is', async (t) => {
  const root = tempDir(t);
  const bundles = [{ khook: { permissions: { net: true, env: ['TOKEN'], read: ['plugins'] } } }];
  const blocked = await planOne(t, { root, bundles });
  assert.ok(blocked.kind === 'blocked', JSON.stringify(blocked));
  assert.equal((await planOne(t, { root, yaml: blocked.remedy })).kind, 'run');
});

test('plugin planner: a wider grant gives no more than what was asked for', async (t) => {
  const root = tempDir(t);
  mkdirSync(join(root, 'data'));
  const bundles = [{ khook: { permissions: { read: ['data'] } } }];
  const yaml =
    'plugins: [{ name: webhook, permissions: { net: true, read: ["/"], write: ["/"], env: [TOKEN], kubernetes: true } }]';
  const made = await planOne(t, { root, bundles, yaml });
  assert.ok(made.kind === 'run', JSON.stringify(made));
  const expected = {
    net: { any: false, listen: [], connect: [] },
    read: [join(root, 'data')],
    write: [],
    env: [],
    kubernetes: false,
  };
  assert.deepEqual(made.spec.permissions, expected);
});

test('plugin planner: a granted folder must exist', async (t) => {
  const bundles = [{ khook: { permissions: { read: ['data'] } } }];
  const { problems } = await plan(t, { bundles, yaml: 'plugins: [{ name: webhook, permissions: { read: [data] } }]' });
  assert.ok(problems.every(({ code }) => code === 'HOST_ERR_CONFIG_VALUE'));
  assert.match(problems.at(-1)?.message ?? '', /the folder 'data' does not exist/);
  assert.equal(problems.at(-1)?.path, 'plugins[0].permissions.read');
});

test('plugin planner: a reference to a configuration key that nobody knows is a problem of the bundle', async (t) => {
  const bundles = [{ khook: { config: PORT_SCHEMA, permissions: { net: { listen: ['${config.prot}'] } } } }];
  const { plans, problems } = await plan(t, { bundles });
  assert.equal(plans[0]?.kind, 'invalid');
  assert.match(problems[0]?.file ?? '', /package\.json$/);
  assert.equal(problems[0]?.path, 'khook.permissions.net.listen[0]');
});

test('plugin planner: debug is known to every plugin, whatever its schema says', async (t) => {
  const root = tempDir(t);
  const grant = 'permissions: { net: { listen: [8090] } }';
  const made = await planOne(t, {
    root,
    bundles: [LISTENER],
    yaml: `plugins: [{ name: webhook, config: { debug: true }, ${grant} }]`,
  });
  assert.ok(made.kind === 'run', JSON.stringify(made));
  assert.equal(made.spec.debug, true);
  assert.deepEqual({ ...made.spec.config }, { port: 8090, debug: true });
  const { problems } = await plan(t, { root, yaml: `plugins: [{ name: webhook, config: { debug: loud }, ${grant} }]` });
  assert.match(problems[0]?.message ?? '', /'debug' must be true or false/);
});

test('plugin planner: without a schema any config goes', async (t) => {
  const made = await planOne(t, {
    bundles: [{}],
    yaml: 'plugins: [{ name: webhook, config: { a: [1], b: { c: x } } }]',
  });
  assert.ok(made.kind === 'run');
  assert.deepEqual({ ...made.spec.config }, { a: [1], b: { c: 'x' } });
});

test('plugin planner: a pattern that backtracks for ever costs a quarter of a second, not the host', async (t) => {
  const config = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
  const yaml = `plugins: [{ name: webhook, config: { a: "${'a'.repeat(60)}!" } }]`;
  const started = performance.now();
  const { problems } = await plan(t, { bundles: [{ khook: { config } }], yaml });
  assert.match(problems[0]?.message ?? '', /took longer than 250 ms/);
  assert.ok(performance.now() - started < 5_000);
});

test('plugin planner: the cluster is granted and there is no connection: blocked, with the way out', async (t) => {
  const bundles = [{ name: 'kubernetes', khook: { permissions: { kubernetes: true } } }];
  const yaml = 'plugins: [{ name: kubernetes, required: true, permissions: { kubernetes: true } }]';
  const connectionProblem = 'no kubeconfig was found';
  const blocked = await planOne(t, { bundles, yaml, input: { connectionProblem } });
  assert.ok(blocked.kind === 'blocked' && blocked.why === 'connection', JSON.stringify(blocked));
  assert.match(blocked.reason, /no kubeconfig was found/);
  assert.match(blocked.remedy, /service account.*KUBECONFIG/s);
  assert.equal(blocked.required, true);
});

test('plugin planner: a disabled plugin is disabled, with a bundle and without', async (t) => {
  const yaml =
    'plugins: [{ name: webhook, enabled: false, config: { port: none } }, { name: kafka, enabled: false, path: /x/kafka.so }]';
  const { plans, problems } = await plan(t, { bundles: [LISTENER], yaml });
  assert.deepEqual(
    plans.map(({ kind, name }) => [kind, name]),
    [
      ['disabled', 'webhook'],
      ['disabled', 'kafka'],
    ],
  );
  assert.deepEqual(problems, []);
});

test('plugin planner: an enabled entry without a bundle says where was looked, unless something still grows', async (t) => {
  const given = { bundles: [{ name: 'webhook' }], yaml: 'plugins: [{ name: webhok, required: true }]' };
  const { plans, problems } = await plan(t, given);
  assert.equal(problems[0]?.code, 'HOST_ERR_BUNDLE_MISSING');
  assert.match(problems[0]?.message ?? '', /looked in '.*plugins' and found webhook/);
  assert.equal(plans.find(({ name }) => name === 'webhok')?.kind, 'invalid');
  assert.deepEqual((await plan(t, { ...given, input: { isGrowing: true } })).problems, []);
});

test('plugin planner: a rejected entry makes its plugin invalid and says nothing twice', async (t) => {
  const { plans, problems } = await plan(t, {
    bundles: [{}, { name: 'other' }],
    yaml: 'plugins: [{ name: webhook, enbled: true }]',
  });
  assert.deepEqual(
    plans.map(({ kind, name }) => [kind, name]),
    [
      ['run', 'other'],
      ['invalid', 'webhook'],
    ],
  );
  assert.deepEqual(problems, []);
});

test('plugin planner: plugins over the limit are left out, in the order of plugins.yaml, then by name', async (t) => {
  const bundles = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
  const yaml = 'plugins: [{ name: d }, { name: a, enabled: false }, { name: c }]\nsettings: { maxPlugins: 2 }';
  const { plans, problems } = await plan(t, { bundles, yaml });
  assert.deepEqual(
    plans.map(({ kind, name }) => `${name} ${kind}`),
    ['d run', 'a disabled', 'c run', 'b invalid'],
  );
  assert.equal(problems[0]?.code, 'HOST_ERR_BUNDLE_LIMIT');
});

test('plugin planner: over the limit a bundle that is new takes the place of none that runs', async (t) => {
  const bundles = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
  const yaml = 'plugins: [{ name: d }]\nsettings: { maxPlugins: 2 }';
  const { plans } = await plan(t, { bundles, yaml, input: { running: new Set(['c', 'd']) } });
  assert.deepEqual(
    plans.map(({ kind, name }) => `${name} ${kind}`),
    ['d run', 'a invalid', 'b invalid', 'c run'],
  );
});

test('plugin planner: the fingerprint changes with every setting and every granted value, and with nothing else', async (t) => {
  const root = tempDir(t);
  const bundles = [{ khook: { permissions: { env: ['TOKEN'] } } }, { name: 'other' }];
  const fingerprint = async (entry: string, more: Partial<Given> = {}) => {
    const yaml = `plugins: [{ name: webhook, permissions: { env: [TOKEN] }${entry} }]${more.yaml ?? ''}`;
    const { plans } = await plan(t, { root, input: { variables: { TOKEN: 'a' } }, ...more, yaml });
    const made = plans.find(({ name }) => name === 'webhook');
    assert.ok(made?.kind === 'run', JSON.stringify(made));
    return made.spec.fingerprint;
  };
  await plan(t, { root, bundles });
  const base = await fingerprint('');
  assert.equal(await fingerprint('', { input: { variables: { OTHER: 'x', TOKEN: 'a' } } }), base);
  const changed = await Promise.all([
    fingerprint('', { input: { variables: { TOKEN: 'b' } } }),
    fingerprint(', config: { a: 1 }'),
    fingerprint(', limits: { memoryMb: 65 }'),
    fingerprint(', rateLimit: { eventsPerSecond: 5 }'),
    fingerprint(', namespaces: [kagent]'),
    fingerprint(', required: true'),
    fingerprint('', { yaml: '\nsettings: { healthCheckInterval: 31s }' }),
    fingerprint('', { yaml: '\nsettings: { loadTimeout: 31s }' }),
  ]);
  assert.equal(new Set([base, ...changed]).size, changed.length + 1);
});
