import assert from 'node:assert/strict';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runtimeCode } from '../../../host/sandbox/runtime-code.ts';
import { sourceFiles, targetOf } from '../../support/source-files.ts';

const ROOTS = ['ipc/runtime/thread.ts', 'ipc/plugin-api.ts'];

/** What a thread comes to import of khook, types left out. */
function reachable(): string[] {
  const files = new Map(sourceFiles().map((file) => [file.path, file]));
  const found = new Set<string>();
  const visit = (path: string): void => {
    const file = files.get(path);
    if (file === undefined || found.has(path)) return;
    found.add(path);
    const text = stripTypeScriptTypes(file.text);
    for (const specifier of file.imports) {
      const target = targetOf(path, specifier);
      if (target !== null && text.includes(`'${specifier}'`)) visit(target);
    }
  };
  for (const root of ROOTS) visit(root);
  return [...found].sort();
}

test('runtime code: has every module of khook that a thread imports, and none besides', () => {
  const urls = reachable().map((path) => pathToFileURL(path).href);
  assert.ok(urls.length > 10);
  assert.deepEqual(Object.keys(runtimeCode().sources).sort(), urls);
});

test('runtime code: is JavaScript, so that no thread has to take types out of it', () => {
  for (const [url, source] of Object.entries(runtimeCode().sources)) {
    assert.equal(stripTypeScriptTypes(source), source, url);
  }
});

test('runtime code: is made once', () => {
  assert.equal(runtimeCode(), runtimeCode());
});
