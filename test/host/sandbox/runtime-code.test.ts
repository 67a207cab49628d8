import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { runtimeCode, THREAD_ENTRY } from '../../../host/sandbox/runtime-code.ts';
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

test('runtime code: has every module of khook that a thread imports, its packages, and none besides', () => {
  const urls = reachable().map((path) => pathToFileURL(path).href);
  assert.ok(urls.length > 10);
  const { sources, packages } = runtimeCode();
  assert.deepEqual(Object.keys(sources).sort(), [...urls, ...Object.values(packages)].sort());
  const named = reachable().flatMap((path) => sourceFiles().find((file) => file.path === path)?.imports ?? []);
  assert.deepEqual(Object.keys(packages), [
    ...new Set(named.filter((name) => /^[a-z@]/.test(name) && !name.startsWith('node:'))),
  ]);
});

test('runtime code: a thread of it needs no file of khook', async () => {
  const { entry, sources, packages } = runtimeCode();
  const last = `${entry}?last`;
  const imports = Object.keys(sources).filter((url) => url !== entry);
  const text = `${imports.map((url) => `import ${JSON.stringify(url)};`).join('\n')}
process.getBuiltinModule('node:worker_threads').parentPort.postMessage('there');`;
  const workerData = { code: { entry: last, sources: { ...sources, [last]: text }, packages } };
  const worker = new Worker(THREAD_ENTRY, { eval: true, workerData, execArgv: ['--permission'] });
  assert.deepEqual(await once(worker, 'message'), ['there']);
  await worker.terminate();
});

test('runtime code: is JavaScript, so that no thread has to take types out of it', () => {
  for (const [url, source] of Object.entries(runtimeCode().sources)) {
    assert.equal(stripTypeScriptTypes(source), source, url);
  }
});

test('runtime code: is made once', () => {
  assert.equal(runtimeCode(), runtimeCode());
});
