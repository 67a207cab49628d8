import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readManifest } from '../../../host/config/manifest-file.ts';
import type { Problem } from '../../../host/config/problem.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { packageJson, type WrittenBundle, writeBundle, writeFiles } from './bundle-files.ts';

function problemsOf(t: TestContext, bundle: WrittenBundle): readonly Problem[] {
  const read = readManifest(writeBundle(tempDir(t), bundle, 'it'));
  assert.equal(read.kind, 'bad');
  return read.kind === 'bad' ? read.problems : [];
}

function oneProblem(t: TestContext, bundle: WrittenBundle): Problem {
  const problems = problemsOf(t, bundle);
  assert.equal(problems.length, 1, JSON.stringify(problems, null, 1));
  return problems[0]!;
}

test('manifest: is read with everything it says and its defaults', (t) => {
  const directory = writeBundle(tempDir(t), {
    khook: {
      eventTypes: ['webhook-received', 'webhook-error'],
      permissions: { net: { listen: ['${config.port}'] }, env: ['WEBHOOK_TOKEN'] },
      limits: { memoryMb: 96, startTimeout: '10s' },
      config: { type: 'object', properties: { port: { type: 'integer', default: 8090 } } },
    },
  });
  const read = readManifest(directory);
  assert.ok(read.kind === 'ok', JSON.stringify(read));
  assert.equal(read.entry, join(directory, 'index.ts'));
  assert.deepEqual(read.manifest.eventTypes, ['webhook-received', 'webhook-error']);
  assert.deepEqual(read.manifest.limits, { memoryBytes: 96 * 1024 * 1024, startTimeoutMs: 10_000 });
  assert.equal(read.manifest.isolation, 'thread');
  assert.deepEqual(read.manifest.permissions, { net: { listen: ['${config.port}'] }, env: ['WEBHOOK_TOKEN'] });
});

for (const [what, khook, expected] of [
  [
    'a word that is no permission, with the nearest one',
    { permissions: { kubernets: true } },
    /kubernets.*kubernetes/s,
  ],
  ['an unknown key of the khook field', { eventTipes: [] }, /eventTipes.*eventTypes/s],
  ['no event type', { eventTypes: [] }, /at least one event type/],
  ['an empty event type', { eventTypes: [''] }, /eventTypes/],
  ['an event type that is named twice', { eventTypes: ['a', 'a'] }, /twice/],
  ['65 event types', { eventTypes: Array.from({ length: 65 }, (_, i) => `type-${i}`) }, /at most 64/],
  ['an unknown isolation', { isolation: 'vm' }, /isolation/],
  [
    'a config schema of a type that does not exist',
    { config: { type: 'object', properties: { a: { type: 'strin' } } } },
    /strin/,
  ],
  ['a config schema that is no object', { config: { type: 'array' } }, /object/],
  ['a config schema with a broken reference', { config: { properties: { a: { $ref: '#/nope' } } } }, /nope/],
] as const) {
  test(`manifest: refuses ${what}`, (t) => {
    const { code, message, fix, line, file } = oneProblem(t, { khook });
    assert.equal(code, 'HOST_ERR_BUNDLE_MANIFEST');
    assert.match(`${message}; ${fix}`, expected);
    assert.ok(line !== null && line > 1, 'the problem has its line in package.json');
    assert.match(file, /it\/package\.json$/);
  });
}

test('manifest: refuses a name and a version that are none', (t) => {
  const messages = problemsOf(t, { name: 'My_Plugin', version: 'v1' }).map(({ path }) => path);
  assert.deepEqual(messages.sort(), ['name', 'version']);
});

test('manifest: says which side must be upgraded when the API versions differ', (t) => {
  const newer = oneProblem(t, { name: 'it', khook: { apiVersion: 2, somethingNew: true } });
  assert.match(newer.message, /made for plugin API 2.*speaks 1/);
  assert.match(newer.fix, /upgrade khook/);
  const older = oneProblem(t, { name: 'it', khook: { apiVersion: 0 } });
  assert.match(older.fix, /upgrade 'it'/);
});

test('manifest: may not name an entry outside the bundle, whether it exists or not', (t) => {
  const root = tempDir(t);
  writeFiles(root, { 'secret.ts': '' });
  for (const main of ['../secret.ts', '../../etc/passwd', 'sub/../../secret.ts', '../nothing.ts', '..']) {
    const read = readManifest(writeBundle(root, { main }, 'it'));
    assert.ok(read.kind === 'bad');
    assert.equal(read.problems[0]?.code, 'HOST_ERR_BUNDLE_ENTRY', main);
    assert.match(read.problems[0]?.message ?? '', /outside the bundle/, main);
  }
  const absolute = oneProblem(t, { main: '/etc/passwd' });
  assert.match(absolute.message, /relative to the bundle/);
});

test('manifest: may not reach outside by a link', (t) => {
  const root = tempDir(t);
  writeFiles(root, { 'secret.ts': '' });
  const directory = writeBundle(root, { main: 'entry.ts' }, 'it');
  symlinkSync('../secret.ts', join(directory, 'entry.ts'));
  const read = readManifest(directory);
  assert.ok(read.kind === 'bad');
  assert.match(read.problems[0]?.message ?? '', /outside the bundle/);
});

test('manifest: accepts an entry by a link that stays inside, as a mounted ConfigMap has it', (t) => {
  const directory = join(tempDir(t), 'it');
  writeFiles(join(directory, '..2024'), { 'package.json': packageJson({}), 'index.ts': '' });
  symlinkSync('..2024', join(directory, '..data'));
  for (const name of ['package.json', 'index.ts']) symlinkSync(join('..data', name), join(directory, name));
  const read = readManifest(directory);
  assert.ok(read.kind === 'ok', JSON.stringify(read));
  assert.equal(read.entry, join(directory, '..2024/index.ts'));
});

test('manifest: refuses an entry that is missing, a folder, no script, or TypeScript below node_modules', (t) => {
  assert.match(oneProblem(t, { main: 'main.ts' }).message, /does not exist/);
  const root = tempDir(t);
  const folder = writeBundle(root, { main: 'lib' }, 'folder');
  mkdirSync(join(folder, 'lib'));
  const script = writeBundle(root, { main: 'package.json' }, 'script');
  const installed = writeBundle(join(root, 'node_modules'), {}, 'installed');
  const messages = [folder, script, installed].map((directory) => {
    const read = readManifest(directory);
    return read.kind === 'bad' ? read.problems[0]?.message : read.kind;
  });
  assert.match(messages[0] ?? '', /not a file/);
  assert.match(messages[1] ?? '', /no JavaScript or TypeScript/);
  assert.match(messages[2] ?? '', /below a node_modules folder/);
});

test('manifest: is shown by example when the khook field or the package.json is missing', (t) => {
  const root = tempDir(t);
  writeFiles(root, { 'bare/package.json': '{"name":"bare"}', 'empty/index.ts': '', 'list/package.json': '[]' });
  for (const folder of ['bare', 'empty', 'list']) {
    const read = readManifest(join(root, folder));
    assert.ok(read.kind === 'bad');
    assert.match(read.problems[0]?.fix ?? '', /"eventTypes"/, folder);
  }
});

test('manifest: of 5 MB is refused unread', (t) => {
  const directory = join(tempDir(t), 'it');
  writeFiles(directory, { 'package.json': `{"name":"it","padding":"${'x'.repeat(5 * 1024 * 1024)}"}` });
  const read = readManifest(directory);
  assert.ok(read.kind === 'bad');
  assert.match(read.problems[0]?.message ?? '', /has 5\d+ bytes.*at most 262144/);
});

test('manifest: that is not JSON, or deeply nested, is a problem and nothing worse', (t) => {
  const root = tempDir(t);
  for (const text of ['{ "name": ', '', '['.repeat(100_000), 'null', '"x"']) {
    writeFiles(root, { 'it/package.json': text });
    const read = readManifest(join(root, 'it'));
    assert.ok(read.kind === 'bad');
    assert.equal(read.problems[0]?.code, 'HOST_ERR_BUNDLE_MANIFEST');
  }
});

test('manifest: with __proto__ keys changes no prototype and gets no permission', (t) => {
  const directory = join(tempDir(t), 'it');
  const poisoned = packageJson({}).replace(
    '"khook": {',
    '"__proto__": {"main": "evil.ts"}, "khook": { "__proto__": {"permissions": {"kubernetes": true}},',
  );
  writeFiles(directory, { 'package.json': poisoned, 'index.ts': '' });
  const read = readManifest(directory);
  assert.ok(read.kind === 'bad');
  assert.match(read.problems[0]?.message ?? '', /__proto__/);
  assert.equal(({} as Record<string, unknown>).permissions, undefined);
});

test('manifest: of a folder that has vanished is gone', (t) => {
  assert.deepEqual(readManifest(join(tempDir(t), 'nothing')), { kind: 'gone' });
});

test('manifest: may begin with a byte order mark and be indented by tabs', (t) => {
  const directory = writeBundle(tempDir(t));
  const text = `\uFEFF${packageJson({}).replaceAll('  ', '\t')}`;
  writeFileSync(join(directory, 'package.json'), text);
  assert.equal(readManifest(directory).kind, 'ok');
});
