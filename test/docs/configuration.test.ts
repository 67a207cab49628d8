import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { readEnvironment } from '../../host/config/environment.ts';
import { expandVariables } from '../../host/config/expand.ts';
import { hookSchema } from '../../host/config/hook-schema.ts';
import { NO_HOOKS } from '../../host/config/hook-source.ts';
import { ConfigLoader } from '../../host/config/loader.ts';
import { SEVERITIES } from '../../host/config/mapping.ts';
import { mappingSchema } from '../../host/config/mappings-file.ts';
import { DEFAULT_RATE_LIMIT, pluginEntrySchema } from '../../host/config/plugin-entry.ts';
import { parsePluginsFile } from '../../host/config/plugins-file.ts';
import { settingsSchema } from '../../host/config/settings.ts';
import { formatDuration } from '../../host/config/units.ts';
import { parseYamlText } from '../../host/config/yaml-file.ts';
import { FIXED_SETTINGS } from '../../host/config-in-force.ts';
import { codeBlocks, readDoc, section, tableRows } from '../support/docs.ts';
import { schemaKeys } from '../support/schema-keys.ts';
import { tempDir } from '../support/temp-dir.ts';
import { variablesRead } from '../support/variables-read.ts';

const text = readDoc('configuration.md');

function firstColumn(rows: readonly (readonly string[])[]): string[] {
  return rows.map(([name = '']) => name).sort();
}

function inForce(path: string): string {
  const isFixed = Object.keys(FIXED_SETTINGS).some((name) => path === name || path.startsWith(`${name}.`));
  return isFixed ? 'next start' : 'at once';
}

describe('docs/configuration.md', () => {
  it('has one row for each setting, with default, bounds, when it takes effect and meaning, and none for any other', () => {
    const expected = schemaKeys(settingsSchema)
      .filter(({ isLeaf }) => isLeaf)
      .map((key) => [key.path, String(key.default), key.bounds, inForce(key.path), key.description]);
    assert.deepEqual(tableRows(section(text, '### Settings')), expected);
  });

  it('has one row for each key of an entry, with bounds and meaning, and none for any other', () => {
    const documented = tableRows(section(text, '### Entry')).map(([key, , bounds, meaning]) => [key, bounds, meaning]);
    assert.deepEqual(
      documented,
      schemaKeys(pluginEntrySchema).map(({ path, bounds, description }) => [path, bounds, description]),
    );
  });

  it('tells the defaults that a plugin really gets', async (t) => {
    const loader = new ConfigLoader({
      configDirectory: tempDir(t),
      hooks: NO_HOOKS,
      pluginsDirectory: resolve('test/fixtures/plugins/puppet/..'),
      environment: readEnvironment({}).environment,
      connectionProblem: () => null,
    });
    const plan = (await loader.load()).plans.find(({ name }) => name === 'puppet');
    assert.ok(plan?.kind === 'run');
    const { limits, namespaces, required, config } = plan.spec;
    const { memoryBytes, startTimeoutMs, stopTimeoutMs, healthCheckTimeoutMs, hangTimeoutMs, ...counts } = limits;
    const expected: Record<string, string> = {
      enabled: 'true',
      required: String(required),
      config: JSON.stringify(config),
      permissions: 'none',
      'limits.memoryMb': String(memoryBytes / 1024 / 1024),
      'limits.startTimeout': startTimeoutMs === 30_000 ? 'settings.loadTimeout' : '?',
      'limits.stopTimeout': formatDuration(stopTimeoutMs),
      'limits.healthCheckTimeout': formatDuration(healthCheckTimeoutMs),
      'limits.hangTimeout': formatDuration(hangTimeoutMs),
      'rateLimit.eventsPerSecond': String(DEFAULT_RATE_LIMIT.eventsPerSecond),
      'rateLimit.burst': 'eventsPerSecond',
      'rateLimit.whenFull': DEFAULT_RATE_LIMIT.whenFull,
      namespaces: namespaces === null ? 'all' : '?',
      isolation: "the manifest's",
    };
    for (const [name, value] of Object.entries(counts)) expected[`limits.${name}`] = String(value);
    const documented = tableRows(section(text, '### Entry')).filter(([, fallback]) => fallback !== '');
    assert.deepEqual(Object.fromEntries(documented), expected);
  });

  it('has one row for each key of a mapping, and none for any other', () => {
    const rows = tableRows(section(text, '## event-mappings.yaml'));
    assert.deepEqual(
      rows.map(([key, , meaning]) => [key, meaning]),
      schemaKeys(mappingSchema).map(({ path, description }) => [path, description]),
    );
    for (const severity of SEVERITIES) assert.ok(section(text, '## event-mappings.yaml').includes(`\`${severity}\``));
  });

  it('has one row for each field of a Hook, and none for any other', () => {
    const rows = tableRows(section(text, '## Hooks'));
    const keys = schemaKeys(hookSchema).filter(({ isLeaf, description }) => isLeaf || description !== '');
    assert.deepEqual(firstColumn(rows), keys.map(({ path }) => path).sort());
    for (const { path, description } of keys) {
      const meaning = rows.find(([field]) => field === path)?.[1] ?? '';
      assert.ok(description === '' ? meaning !== '' : meaning === description, path);
    }
  });

  it('has one row for each variable that khook looks at, and none for any other', async () => {
    const [own = ''] = section(text, '## Environment').split('khook itself looks at no other variable');
    assert.deepEqual(firstColumn(tableRows(own)), await variablesRead());
  });

  it('tells the defaults of the variables', () => {
    const { environment } = readEnvironment({});
    const defaults: Record<string, string> = {
      LOG_LEVEL: environment.logLevel,
      LOG_FORMAT: environment.logFormat,
      METRICS_PORT: String(environment.metricsPort),
      HEALTH_PORT: String(environment.healthPort),
      KAGENT_API_URL: environment.kagentApiUrl,
      KAGENT_USER_ID: environment.kagentUserId,
      KAGENT_API_TIMEOUT: `${environment.kagentApiTimeoutMs / 1000}s`,
    };
    const rows = tableRows(section(text, '## Environment'));
    for (const [name, value] of Object.entries(defaults)) {
      assert.equal(rows.find(([variable]) => variable === name)?.[1], value, name);
    }
  });

  it('has one row for each variable that the shipped files use, with its default, and none for any other', () => {
    const shipped = ['plugins.yaml', 'event-mappings.yaml'].map((name) =>
      readFileSync(resolve('config', name), 'utf8'),
    );
    const values = shipped.join('\n').replace(/^\s*#.*$/gm, '');
    const placeholders = [...values.matchAll(/\$\{([A-Z_]+)(?::-([^}]*))?\}/g)].map(([, name = '', fallback = '']) => [
      name,
      fallback,
    ]);
    const granted = [...values.matchAll(/env: \[([^\]]*)\]/g)].flatMap(([, list = '']) => list.split(', '));
    const [, others = ''] = section(text, '## Environment').split('khook itself looks at no other variable');
    const [table = ''] = others.split('### ');
    const rows = tableRows(table).map(([name = '', fallback = '']) => [name, fallback]);
    assert.deepEqual(rows.sort(), [...placeholders, ...granted.map((name) => [name, ''])].sort());
  });

  it('shows what placeholders become', () => {
    const rows = tableRows(section(text, '### `${VAR}` in files'));
    assert.ok(rows.length > 5);
    for (const [written = '', set = '', becomes = ''] of rows) {
      const [name = '', ...value] = set.split('=');
      const variables = set === '' ? {} : { [name]: value.join('=') };
      const place = { file: '', document: null, basePath: [], subject: '' };
      const { value: got, problems } = expandVariables(written, variables, place);
      const type = { number: 'the number', boolean: 'the boolean', string: 'the text' }[typeof got as 'string'];
      const told = problems[0] === undefined ? `${type} ${got}`.trim() : `an error: ${problems[0].message}`;
      assert.equal(told, becomes, `${written} with ${set}`);
    }
  });

  it('shows an example that loads', () => {
    const [example = ''] = codeBlocks(text, 'yaml');
    const parsed = parseYamlText('plugins.yaml', example);
    assert.ok(parsed.kind === 'ok');
    assert.deepEqual(parsePluginsFile(parsed.document, {}).problems, []);
  });
});
