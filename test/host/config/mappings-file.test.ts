import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Variables } from '../../../host/config/expand.ts';
import { DEFAULT_MAPPINGS, type MappingsRead, readMappingsFile } from '../../../host/config/mappings-file.ts';
import { tempDir } from '../../support/temp-dir.ts';

function read(t: Parameters<typeof tempDir>[0], text: string, variables: Variables = {}): MappingsRead {
  const file = join(tempDir(t), 'event-mappings.yaml');
  writeFileSync(file, text);
  return readMappingsFile(file, variables);
}

test('mappings: an entry is read with its defaults', (t) => {
  const { kind, mappings, problems } = read(
    t,
    `mappings:
  - { eventSource: webhook, eventType: deploy-failed, internalType: DeployFailed, severity: error, tags: { team: a, tier: 1 }, description: d, enabled: false }
  - { eventSource: webhook, eventType: received, internalType: Received }
`,
  );
  assert.equal(kind, 'ok');
  assert.deepEqual(problems, []);
  assert.deepEqual(mappings, [
    {
      eventSource: 'webhook',
      eventType: 'deploy-failed',
      internalType: 'DeployFailed',
      description: 'd',
      severity: 'error',
      tags: { team: 'a', tier: '1' },
      enabled: false,
    },
    {
      eventSource: 'webhook',
      eventType: 'received',
      internalType: 'Received',
      description: '',
      severity: 'info',
      tags: {},
      enabled: true,
    },
  ]);
});

test('mappings: enabled is a matter of each entry, whatever another says', (t) => {
  const text =
    'mappings:\n  # enabled: false\n  - { eventSource: a, eventType: b, internalType: C }\n  - { eventSource: a, eventType: d, internalType: E, enabled: false }\n';
  assert.deepEqual(
    read(t, text).mappings.map(({ enabled }) => enabled),
    [true, false],
  );
});

test('mappings: a bad entry is reported in the known words and skipped', (t) => {
  const { mappings, problems } = read(
    t,
    `mappings:
  - { eventSource: "", eventType: x, internalType: " ", severity: loud }
  - { eventSource: a, eventType: x, internalType: X, enabeld: true }
  - { eventSource: a, eventType: ok, internalType: Ok }
  - nonsense
`,
  );
  assert.deepEqual(
    mappings.map(({ internalType }) => internalType),
    ['Ok'],
  );
  assert.deepEqual(
    problems.map(({ line, code, message, fix }) => [line, code, message, fix]),
    [
      [2, 'HOST_ERR_MAPPING', 'eventSource cannot be empty', ''],
      [2, 'HOST_ERR_MAPPING', 'internalType cannot be empty', ''],
      [2, 'HOST_ERR_MAPPING', "invalid severity 'loud', must be one of: info, warning, error, critical", ''],
      [3, 'HOST_ERR_CONFIG_KEY', 'unknown mapping field: enabeld', "did you mean 'enabled'?"],
      [5, 'HOST_ERR_MAPPING', 'mapping field must be an object, got string', ''],
    ],
  );
  assert.equal(problems[3]?.subject, 'a:x');
});

test('mappings: missing fields are empty fields', (t) => {
  const { problems } = read(t, 'mappings: [{}]');
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['eventSource cannot be empty', 'eventType cannot be empty', 'internalType cannot be empty'],
  );
});

test('mappings: of two entries for the same type the first stays', (t) => {
  const { mappings, problems } = read(
    t,
    'mappings:\n  - { eventSource: a, eventType: b, internalType: First }\n  - { eventSource: a, eventType: b, internalType: Second }\n',
  );
  assert.deepEqual(
    mappings.map(({ internalType }) => internalType),
    ['First'],
  );
  assert.deepEqual(
    problems.map(({ code, line }) => [code, line]),
    [['HOST_ERR_CONFIG_DUPLICATE', 3]],
  );
});

test('mappings: without a file the four of the kubernetes plugin apply, and a note says so', (t) => {
  const found = readMappingsFile(join(tempDir(t), 'event-mappings.yaml'), {});
  assert.equal(found.kind, 'missing');
  assert.match(found.note, /not found, using the 4 default mappings/);
  assert.deepEqual(found.problems, []);
  assert.equal(found.mappings, DEFAULT_MAPPINGS);
  assert.deepEqual(
    DEFAULT_MAPPINGS.map(({ eventType, internalType, severity }) => [eventType, internalType, severity]),
    [
      ['pod-restart', 'PodRestart', 'warning'],
      ['oom-kill', 'OOMKill', 'error'],
      ['pod-pending', 'PodPending', 'warning'],
      ['probe-failed', 'ProbeFailed', 'warning'],
    ],
  );
});

test('mappings: a file that cannot be used is bad and never "not found"', (t) => {
  for (const text of ['mappings: [', 'mapping: []', 'mappings: {}', 'text', '- a']) {
    const { kind, mappings, problems, note } = read(t, text);
    assert.equal(kind, 'bad', text);
    assert.deepEqual(mappings, []);
    assert.equal(note, '');
    assert.equal(problems[0]?.code, 'HOST_ERR_CONFIG_FILE');
  }
});

test('mappings: an empty file maps nothing, on purpose', (t) => {
  for (const text of ['', '# none\n', 'mappings:\n', 'mappings: []\n']) {
    assert.deepEqual(read(t, text), { kind: 'ok', mappings: [], problems: [], note: '' }, text);
  }
});

test('mappings: values may come from the environment', (t) => {
  const text =
    'mappings: [{ eventSource: a, eventType: b, internalType: C, enabled: "${ON:-true}", severity: "${SEVERITY}" }]';
  assert.equal(read(t, text, { ON: 'false', SEVERITY: 'error' }).mappings[0]?.enabled, false);
  assert.equal(read(t, text).problems[0]?.code, 'HOST_ERR_CONFIG_ENV');
});
