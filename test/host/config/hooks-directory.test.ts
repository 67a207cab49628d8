import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hookId } from '../../../host/config/hook.ts';
import { type HooksRead, readHooksDirectory } from '../../../host/config/hooks-directory.ts';
import { tempDir } from '../../support/temp-dir.ts';

function hook(name: string, agent = 'agentRef: { name: helper }'): string {
  return `apiVersion: kagent.dev/v1alpha2
kind: Hook
metadata: { name: ${name}, namespace: team, labels: { environment: test } }
spec:
  eventConfigurations:
  # a comment
  - eventType: pod-restart
    ${agent}
    prompt: |
      🚨 {{.ResourceName}} restarted at {{.EventTime}}.

      • look at it
`;
}

function read(t: Parameters<typeof tempDir>[0], files: Readonly<Record<string, string>>): HooksRead {
  const directory = tempDir(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return readHooksDirectory(directory);
}

test('folder of Hooks: YAML and JSON files are read in the order of their names', (t) => {
  const json = JSON.stringify({
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { name: 'json', namespace: 'team' },
    spec: { eventConfigurations: [{ eventType: 'PodRestart', agentId: 'kagent/a', prompt: 'p' }] },
  });
  const found = read(t, {
    'c.json': json,
    'b.yml': hook('second', 'agentId: kagent/helper'),
    'a.yaml': hook('first'),
    'README.md': 'no Hook',
    '.hidden.yaml': 'broken: [',
  });
  assert.deepEqual([found.problems, found.warnings], [[], []]);
  assert.deepEqual(found.hooks.map(hookId), ['team/first', 'team/second', 'team/json']);
  assert.deepEqual(found.hooks[1]?.eventConfigurations[0]?.agent, { namespace: 'kagent', name: 'helper' });
  assert.match(found.hooks[0]?.eventConfigurations[0]?.prompt ?? '', /^🚨 \{\{\.ResourceName\}\}/);
});

test('folder of Hooks: a file may hold several documents and lists', (t) => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${hook('three').trim().replaceAll('\n', '\n  ')}\n`;
  const found = read(t, { 'a.yaml': `---\n${hook('one')}---\n${hook('two')}---\n# end\n---\n${list}` });
  assert.deepEqual(found.problems, []);
  assert.deepEqual(
    found.hooks.map(({ name }) => name),
    ['one', 'two', 'three'],
  );
});

test('folder of Hooks: other kinds are ignored with a warning', (t) => {
  const found = read(t, { 'a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n---\n${hook('one')}` });
  assert.deepEqual(
    found.hooks.map(({ name }) => name),
    ['one'],
  );
  assert.deepEqual(found.problems, []);
  assert.equal(
    found.warnings[0]?.message,
    'ignored: expected kind Hook of kagent.dev/v1alpha2, got kind ConfigMap of v1',
  );
  assert.equal(found.warnings[0]?.line, 2);
});

test('folder of Hooks: one bad Hook or file leaves the others alone', (t) => {
  const found = read(t, {
    'a.yaml': 'broken: [',
    'b.yaml': `${hook('bad').replace('eventType: pod-restart', 'eventType: 7')}---\n${hook('good')}`,
    'c.yaml': 'just: data\n',
  });
  assert.deepEqual(
    found.hooks.map(({ name }) => name),
    ['good'],
  );
  assert.deepEqual(
    found.problems.map(({ code, line, subject }) => [code, line, subject]),
    [
      ['HOST_ERR_CONFIG_FILE', 1, ''],
      ['HOST_ERR_HOOK', 7, 'team/bad'],
      ['HOST_ERR_HOOK', 1, ''],
    ],
  );
});

test('folder of Hooks: a Hook that stands twice is reported and the first counts', (t) => {
  const found = read(t, { 'a.yaml': hook('one', 'agentId: first'), 'b.yaml': hook('one', 'agentId: second') });
  assert.equal(found.hooks.length, 1);
  assert.equal(found.hooks[0]?.eventConfigurations[0]?.agent.name, 'first');
  assert.equal(found.problems[0]?.code, 'HOST_ERR_CONFIG_DUPLICATE');
});

test('folder of Hooks: a mounted ConfigMap is read once, through its links', (t) => {
  const directory = tempDir(t);
  mkdirSync(join(directory, '..2026_01'));
  writeFileSync(join(directory, '..2026_01', 'hooks.yaml'), hook('one'));
  symlinkSync('..2026_01', join(directory, '..data'));
  symlinkSync('..data/hooks.yaml', join(directory, 'hooks.yaml'));
  mkdirSync(join(directory, 'sub.yaml'));
  const found = readHooksDirectory(directory);
  assert.deepEqual(found.problems, []);
  assert.deepEqual(
    found.hooks.map(({ name, origin }) => [name, origin]),
    [['one', join(directory, 'hooks.yaml')]],
  );
});

test('folder of Hooks: one that is not there is told apart from one that cannot be read', (t) => {
  const directory = tempDir(t);
  assert.equal(readHooksDirectory(join(directory, 'none')).kind, 'missing');
  writeFileSync(join(directory, 'file'), '');
  const found = readHooksDirectory(join(directory, 'file'));
  assert.equal(found.kind, 'bad');
  assert.equal(found.problems[0]?.code, 'HOST_ERR_CONFIG_FILE');
});
