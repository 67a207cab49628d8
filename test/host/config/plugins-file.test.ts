import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Variables } from '../../../host/config/expand.ts';
import { type PluginsFile, readPluginsFile } from '../../../host/config/plugins-file.ts';
import { DEFAULT_SETTINGS } from '../../../host/config/settings.ts';
import { tempDir } from '../../support/temp-dir.ts';

type Context = Parameters<typeof tempDir>[0];

function read(t: Context, text: string, variables: Variables = {}): PluginsFile {
  const file = join(tempDir(t), 'plugins.yaml');
  writeFileSync(file, text);
  const result = readPluginsFile(file, variables);
  assert.ok(result.kind === 'ok', JSON.stringify(result));
  return result.plugins;
}

function messages(plugins: PluginsFile): string[] {
  return plugins.problems.map(({ line, message }) => `${line}: ${message}`);
}

const FULL = `
plugins:
  - name: webhook
    required: true
    config: { port: "\${WEBHOOK_PORT:-8090}", path: /webhook, debug: false }
    permissions: { net: { listen: ["\${config.port}", 9000], connect: ["kafka.example:9092"] }, env: [WEBHOOK_TOKEN], read: [/data], kubernetes: true }
    limits: { memoryMb: 32, startTimeout: 20s, stopTimeout: 5s, healthCheckTimeout: 500ms }
    rateLimit: { eventsPerSecond: 100, burst: 10, whenFull: drop_newest }
    namespaces: [kagent]
    isolation: process
settings: { maxPlugins: 3, dedup: { window: 5m } }
`;

test('plugins.yaml: an entry with everything is read, in milliseconds and bytes', (t) => {
  const plugins = read(t, FULL, { WEBHOOK_PORT: '8123' });
  assert.deepEqual(plugins.problems, []);
  assert.deepEqual(plugins.entries, [
    {
      name: 'webhook',
      enabled: true,
      required: true,
      config: { port: 8123, path: '/webhook', debug: false },
      permissions: {
        net: { listen: ['${config.port}', 9000], connect: ['kafka.example:9092'] },
        env: ['WEBHOOK_TOKEN'],
        read: ['/data'],
        kubernetes: true,
      },
      limits: { memoryBytes: 32 * 2 ** 20, startTimeoutMs: 20_000, stopTimeoutMs: 5_000, healthCheckTimeoutMs: 500 },
      rateLimit: { eventsPerSecond: 100, burst: 10, whenFull: 'drop_newest' },
      namespaces: ['kagent'],
      isolation: 'process',
      variables: ['WEBHOOK_PORT'],
      index: 0,
      documentPath: ['plugins', 0],
    },
  ]);
  assert.equal(plugins.settings.maxPlugins, 3);
  assert.equal(plugins.settings.dedup.windowMs, 300_000);
});

test('plugins.yaml: an entry with only a name has the defaults', (t) => {
  const [entry] = read(t, 'plugins: [{ name: a, config: , permissions: }]').entries;
  assert.equal(entry?.enabled, true);
  assert.equal(entry?.required, false);
  assert.deepEqual(entry?.config, {});
  assert.deepEqual(entry?.limits, {});
  assert.equal(entry?.permissions, null);
  assert.equal(entry?.namespaces, null);
  assert.equal(entry?.isolation, null);
  assert.deepEqual(entry?.rateLimit, { eventsPerSecond: 1_000, burst: 1_000, whenFull: 'block' });
});

test('plugins.yaml: a rate without a burst bursts one second', (t) => {
  const [entry] = read(t, 'plugins: [{ name: a, rateLimit: { eventsPerSecond: 50 } }]').entries;
  assert.deepEqual(entry?.rateLimit, { eventsPerSecond: 50, burst: 50, whenFull: 'block' });
});

test('plugins.yaml: a bad entry is rejected with its problems and the others stand', (t) => {
  const plugins = read(
    t,
    `plugins:
  - name: bad
    required: true
    limits: { memoryMb: 1 }
    ratelimit: {}
  - name: good
  - name: Bad_Name
  - 7
`,
  );
  assert.deepEqual(
    plugins.entries.map(({ name }) => name),
    ['good'],
  );
  assert.deepEqual(
    plugins.rejected.map(({ name, required }) => [name, required]),
    [['bad', true]],
  );
  assert.deepEqual(
    plugins.rejected[0]?.problems.map(({ subject }) => subject),
    ['bad', 'bad'],
  );
  assert.deepEqual(messages(plugins), [
    "4: configuration 'limits.memoryMb' must be between 8 and 4096, got 1",
    '5: unknown configuration key: ratelimit',
    "7: configuration 'name' must be lower-case letters, digits and dashes, starting with a letter, at most 63 characters",
    '8: configuration must be an object, got number',
  ]);
  assert.equal(plugins.problems[1]?.fix, "did you mean 'rateLimit'?");
});

test('plugins.yaml: an unset variable rejects an enabled entry, with no second complaint about its type', (t) => {
  const plugins = read(t, 'plugins: [{ name: a, required: "${REQUIRED}", config: { token: "${TOKEN}" } }]');
  assert.deepEqual(plugins.entries, []);
  assert.deepEqual(
    plugins.problems.map(({ code }) => code),
    ['HOST_ERR_CONFIG_ENV', 'HOST_ERR_CONFIG_ENV'],
  );
});

test('plugins.yaml: a disabled entry needs no variables and no ranges, but known keys and types', (t) => {
  const plugins = read(
    t,
    `plugins:
  - name: kafka
    enabled: false
    path: /opt/plugins/kafka.so
    config: { token: "\${KAFKA_TOKEN}", brokers: ["a:1"] }
    limits: { memoryMb: "\${KAFKA_MEMORY}", startTimeout: "\${T}" }
    rateLimit: { eventsPerSecond: 0 }
    isolation: "\${ISOLATION}"
  - name: other
    enabled: false
    config: nothing
    enabeld: true
`,
  );
  assert.deepEqual(
    plugins.entries.map(({ name, enabled }) => [name, enabled]),
    [
      ['kafka', false],
      ['other', false],
    ],
  );
  assert.deepEqual(plugins.entries[0]?.config, {});
  assert.deepEqual(messages(plugins), [
    "11: configuration 'config' must be an object, got string",
    '12: unknown configuration key: enabeld',
  ]);
});

test('plugins.yaml: enabled may come from the environment', (t) => {
  const text = 'plugins: [{ name: a, enabled: "${ON:-false}", config: { token: "${TOKEN:-t}" } }]';
  assert.equal(read(t, text).entries[0]?.enabled, false);
  assert.equal(read(t, text, { ON: 'true' }).entries[0]?.enabled, true);
  assert.equal(read(t, text, { ON: 'FALSE' }).entries[0]?.enabled, false);
  assert.equal(read(t, text, { ON: 'TRUE' }).entries[0]?.enabled, true);
  assert.deepEqual(read(t, text, { ON: 'maybe' }).entries, []);
});

test('plugins.yaml: the second entry of a name is a problem and the first counts', (t) => {
  const plugins = read(t, 'plugins:\n  - { name: a, required: true }\n  - { name: a }\n');
  assert.deepEqual(
    plugins.entries.map(({ index }) => index),
    [0],
  );
  assert.deepEqual(plugins.rejected, []);
  assert.equal(plugins.problems[0]?.code, 'HOST_ERR_CONFIG_DUPLICATE');
  assert.equal(plugins.problems[0]?.line, 3);
  assert.match(plugins.problems[0]?.message ?? '', /line 2/);
});

test('plugins.yaml: nothing but the vocabulary can be granted', (t) => {
  const refused = [
    '{ run: true }',
    '{ net: false }',
    '{ net: { listen: [0] } }',
    '{ net: { listen: [70000] } }',
    '{ net: { listen: ["8090x"] } }',
    '{ net: { connect: ["nohost"] } }',
    '{ net: { connect: ["host:99999"] } }',
    '{ net: { conect: ["host:1"] } }',
    '{ env: ["A B"] }',
    '{ read: /data }',
    '{ kubernetes: all }',
  ];
  for (const permissions of refused) {
    assert.equal(read(t, `plugins: [{ name: a, permissions: ${permissions} }]`).rejected.length, 1, permissions);
  }
  const granted = ['{ net: true }', '{ net: { any: true, connect: ["[::1]:80", "${config.host}:80"] } }', '{}'];
  for (const permissions of granted) {
    assert.equal(read(t, `plugins: [{ name: a, permissions: ${permissions} }]`).entries.length, 1, permissions);
  }
});

test('plugins.yaml: a __proto__ key is an unknown key, wherever it stands', (t) => {
  for (const text of [
    'plugins: [{ name: a, __proto__: { enabled: false } }]',
    'plugins: [{ name: a, config: { x: { __proto__: 1 } } }]',
  ]) {
    const plugins = read(t, text);
    assert.deepEqual(plugins.entries, []);
    assert.match(messages(plugins)[0] ?? '', /unknown configuration key: .*__proto__/);
  }
});

test('plugins.yaml: a setting whose variable is missing has its default and one problem', (t) => {
  const plugins = read(t, 'settings: { pluginDirectory: "${DIR}", maxPlugins: "${MAX}", loadTimeout: "${LOAD}" }', {
    MAX: '4',
  });
  assert.deepEqual(plugins.settings, { ...DEFAULT_SETTINGS, maxPlugins: 4 });
  assert.deepEqual(
    plugins.problems.map(({ code, path }) => [code, path]),
    [
      ['HOST_ERR_CONFIG_ENV', 'settings.pluginDirectory'],
      ['HOST_ERR_CONFIG_ENV', 'settings.loadTimeout'],
    ],
  );
});

test('plugins.yaml: keys of the root are known, an empty file is no plugins', (t) => {
  const plugins = read(t, 'plugin: []\n');
  assert.deepEqual(
    plugins.problems.map(({ message, fix }) => [message, fix]),
    [['unknown configuration key: plugin', "did you mean 'plugins'?"]],
  );
  assert.deepEqual(read(t, '# nothing yet\n').entries, []);
  assert.equal(read(t, 'plugins: { name: a }\n').problems.length, 1);
});

test('plugins.yaml: a file as a whole that cannot be used is bad, not missing', (t) => {
  const directory = tempDir(t);
  const file = join(directory, 'plugins.yaml');
  assert.equal(readPluginsFile(file, {}).kind, 'missing');
  for (const text of ['plugins: [', '- a\n', 'text', 'plugins: []\n---\nplugins: []\n']) {
    writeFileSync(file, text);
    assert.equal(readPluginsFile(file, {}).kind, 'bad', text);
  }
});

test('plugins.yaml: the layout of upstream loads unchanged', (t) => {
  const plugins = read(
    t,
    `plugins:
  - name: "kubernetes"
    enabled: true
    config:
      namespace: "staging"
  - name: "queue"
    enabled: false
    path: "/opt/khook/plugins/queue.so"
    config:
      brokers: ["localhost:9092"]
      queries: [{ name: "load", query: "rate(x[5m]) > 0.8", interval: "30s" }]
settings:
  pluginDirectory: "/opt/khook/plugins"
  maxPlugins: 10
  loadTimeout: "30s"
  healthCheckInterval: "60s"
`,
  );
  assert.deepEqual(plugins.problems, []);
  assert.deepEqual(
    plugins.entries.map(({ name, enabled }) => [name, enabled]),
    [
      ['kubernetes', true],
      ['queue', false],
    ],
  );
  assert.equal(plugins.settings.healthCheckIntervalMs, 60_000);
});
