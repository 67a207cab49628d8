import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseYamlText, readYamlFile, type YamlDocument } from '../../../host/config/yaml-file.ts';
import { tempDir } from '../../support/temp-dir.ts';

function parsed(text: string): YamlDocument {
  const read = parseYamlText('test.yaml', text);
  assert.ok(read.kind === 'ok', JSON.stringify(read));
  return read.document;
}

function refused(text: string): { line: number | null; column: number | null; message: string } {
  const read = parseYamlText('test.yaml', text);
  assert.ok(read.kind === 'bad', 'it should be refused');
  const [problem] = read.problems;
  assert.ok(problem !== undefined);
  assert.equal(problem.code, 'HOST_ERR_CONFIG_FILE');
  return { line: problem.line, column: problem.column, message: problem.message };
}

test('YAML file: values have the positions of the text', () => {
  const document = parsed('plugins:\n  - name: a\n    config:\n      port: 0\n');
  assert.deepEqual(document.value, { plugins: [{ name: 'a', config: { port: 0 } }] });
  assert.deepEqual(document.at(['plugins', 0, 'config', 'port']), { line: 4, column: 13 });
  assert.deepEqual(document.at(['plugins', 0, 'config', 'port'], 'key'), { line: 4, column: 7 });
  assert.deepEqual(
    document.at(['plugins', 0, 'config', 'path']),
    { line: 4, column: 7 },
    'nearest: the mapping itself',
  );
  assert.deepEqual(document.at(['plugins', 9, 'x']), { line: 2, column: 3 });
  assert.deepEqual(document.at(['nowhere', 'at', 'all']), { line: 1, column: 1 });
});

test('YAML file: a path through an alias leads to what the alias stands for', () => {
  const document = parsed('base: &base\n  port: 1\nuse: *base\n');
  assert.deepEqual(document.value, { base: { port: 1 }, use: { port: 1 } });
  assert.deepEqual(document.at(['use', 'port']), { line: 2, column: 9 });
});

test('YAML file: an alias means the last anchor of its name before it, also where it is copied', () => {
  const document = parsed('a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y\ne: *x\n');
  assert.deepEqual(document.value, { a: 1, b: [1], c: 2, d: [1], e: 2 });
});

test('YAML file: several documents are read apart', () => {
  const read = parseYamlText('test.yaml', 'a: 1\n---\nb: 2\n---\n');
  assert.ok(read.kind === 'ok');
  assert.deepEqual(
    read.documents.map(({ value }) => value),
    [{ a: 1 }, { b: 2 }, null],
  );
  assert.deepEqual(read.documents[1]?.at(['b']), { line: 3, column: 4 });
});

test('YAML file: nothing but a comment is a document of null', () => {
  for (const text of ['', '# later\n']) assert.equal(parsed(text).value, null);
});

test('YAML file: a __proto__ key becomes an own property and changes no prototype', () => {
  const { value } = parsed('__proto__:\n  polluted: true\nb: 2\n');
  assert.ok(typeof value === 'object' && value !== null);
  assert.ok(Object.hasOwn(value, '__proto__'));
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(Reflect.get({}, 'polluted'), undefined);
  assert.equal(Reflect.get(value, 'polluted'), undefined);
});

test('YAML file: broken YAML is refused with line and column', () => {
  assert.deepEqual(refused('a: 1\nb: 2\na: 3\n'), {
    line: 3,
    column: 1,
    message: "invalid YAML: the key 'a' stands twice",
  });
  assert.equal(refused('a:\n\tb: 1\n').line, 2);
  assert.match(refused('a:\n\tb: 1\n').message, /Tabs/);
  assert.equal(refused('ok: 1\na: [1, 2\nb: 3\n').line, 3);
  assert.match(refused('a: !secret x').message, /Unresolved tag/);
  assert.match(refused('a: *x').message, /no anchor &x/);
  assert.match(refused('? {a: 1}\n: 2').message, /plain word/);
});

test('YAML file: bombs of aliases, endless aliases and bottomless nesting are refused', () => {
  const ten = (name: string): string => Array.from({ length: 10 }, () => `*${name}`).join(', ');
  const bomb = `a: &a [1, 2]\nb: &b [${ten('a')}]\nc: &c [${ten('b')}]\nd: &d [${ten('c')}]\ne: &e [${ten('d')}]\nf: [${ten('e')}]\n`;
  assert.match(refused(bomb).message, /more than 100000 values/);
  assert.match(refused('a: &a\n  b: *a\n').message, /alias of itself/);
  assert.match(refused(`a: ${'['.repeat(100)}${']'.repeat(100)}`).message, /nested deeper/);
  assert.equal(parseYamlText('test.yaml', '['.repeat(20_000)).kind, 'bad');
});

test('YAML file: a file over 1 MiB, a folder and a missing file are told apart', (t) => {
  const directory = tempDir(t);
  writeFileSync(join(directory, 'big.yaml'), `a: ${'x'.repeat(1024 * 1024)}`);
  mkdirSync(join(directory, 'folder.yaml'));
  const big = readYamlFile(join(directory, 'big.yaml'));
  assert.ok(big.kind === 'bad' && /more than 1 MiB/.test(big.problems[0]?.message ?? ''));
  const folder = readYamlFile(join(directory, 'folder.yaml'));
  assert.ok(folder.kind === 'bad' && /is not a file/.test(folder.problems[0]?.message ?? ''));
  assert.equal(readYamlFile(join(directory, 'none.yaml')).kind, 'missing');
  assert.equal(parseYamlText('t', `a: ${'x'.repeat(1024 * 1024)}`).kind, 'bad');
});

test('YAML file: a link is followed', (t) => {
  const directory = tempDir(t);
  writeFileSync(join(directory, 'real.yaml'), 'a: 1\n');
  symlinkSync('real.yaml', join(directory, 'link.yaml'));
  const read = readYamlFile(join(directory, 'link.yaml'));
  assert.ok(read.kind === 'ok');
  assert.deepEqual(read.document.value, { a: 1 });
});
