/** Holds docs/plugin-development.md to the code: every snippet compiles against the public API, every manifest is data. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { IPC_ERRORS } from '../../ipc/errors.ts';
import { tempDir } from '../support/temp-dir.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GUIDE = readFileSync(join(ROOT, 'docs/plugin-development.md'), 'utf8');

function snippets(language: string): string[] {
  return Array.from(GUIDE.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms')), (match) => match[1] ?? '');
}

test('plugin development guide: every TypeScript snippet compiles against khook/plugin', (t) => {
  const directory = tempDir(t);
  const files = snippets('ts').map((code, index) => {
    const file = join(directory, `snippet-${index}.ts`);
    writeFileSync(file, code);
    return file;
  });
  assert.ok(files.length >= 6);
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as {
    compilerOptions: Record<string, unknown>;
  };
  const project = join(directory, 'tsconfig.json');
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const options = {
    ...compilerOptions,
    typeRoots: [join(ROOT, 'node_modules/@types')],
    paths: { 'khook/plugin': [join(ROOT, 'ipc/plugin-api.ts')] },
  };
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files }));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test('plugin development guide: its manifest and its YAML are data', () => {
  const [manifest] = snippets('json').map((text) => JSON.parse(text) as { khook: { apiVersion: number } });
  assert.equal(manifest?.khook.apiVersion, 1);
  for (const text of snippets('yaml')) assert.ok(parse(text));
});

test('plugin development guide: names every refusal of an event, and no other', () => {
  const named = new Set(GUIDE.match(/EVENT_ERR_[A-Z_]+/g));
  const known = Object.keys(IPC_ERRORS).filter((code) => code.startsWith('EVENT_ERR_'));
  assert.deepEqual([...named].sort(), known.sort());
});
