import assert from 'node:assert/strict';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldPath, readEntryPath, showEntry } from '../../../host/config/archive-path.ts';

test('archive path: a plain name is its parts, whether a folder is marked or not', () => {
  for (const name of ['package/lib/a.js', './package/lib/a.js']) {
    assert.deepEqual(readEntryPath(name), { kind: 'ok', parts: ['package', 'lib', 'a.js'] });
  }
  assert.deepEqual(readEntryPath('package/lib/'), { kind: 'ok', parts: ['package', 'lib'] });
  assert.deepEqual(readEntryPath('./'), { kind: 'ok', parts: [] });
  for (const name of [
    'package/größer 🦊.js',
    'package/a b',
    'package/..a',
    'package/a..',
    'package/-rf',
    'package/$(x)',
  ]) {
    assert.equal(readEntryPath(name).kind, 'ok', name);
  }
});

test('archive path: whatever is taken stays below the folder, as one path that names each part', () => {
  const hostile = fc.constantFrom('..', '.', '', '/', '\\', '\0', '\u202e', 'C:', 'a', 'é', 'e\u0301', '\ud800', ' ');
  const names = fc
    .array(fc.oneof(hostile, fc.string({ unit: 'binary' })), { maxLength: 8 })
    .map((parts) => parts.join('/'));
  fc.assert(
    fc.property(names, (name) => {
      const read = readEntryPath(name);
      if (read.kind === 'bad') return;
      const path = join('/data/bundles/it', ...read.parts);
      assert.equal(relative('/data/bundles/it', path), read.parts.join(sep));
      assert.ok(read.parts.every((part) => part !== '' && !/^\.\.?$/.test(part) && !/[/\\\0\n]/.test(part)));
    }),
  );
});

test('archive path: what is shown is one bounded line', () => {
  assert.equal(showEntry('a\nb\u202e'), "'a\\u{a}b\\u{202e}'");
  assert.ok(showEntry('\0'.repeat(10_000)).length < 1_100);
});

test('archive path: two paths that some file system holds for one are one when folded', () => {
  assert.equal(foldPath('Lib/CAF\u00c9'), foldPath('lib/cafe\u0301'));
  assert.notEqual(foldPath('lib/cafe'), foldPath('lib/caf\u00e9'));
});
