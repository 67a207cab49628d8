import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { readDoc, section, tableRows } from '../support/docs.ts';

const BUNDLE = resolve('plugins/kubernetes');
const { khook } = JSON.parse(readFileSync(join(BUNDLE, 'package.json'), 'utf8'));
const code = readdirSync(BUNDLE)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(BUNDLE, name), 'utf8'))
  .join('\n');

describe('docs/kubernetes.md', () => {
  const text = readDoc('kubernetes.md');

  it('has one row for each option, with default and meaning, and none for any other', () => {
    const options = Object.entries<{ default: unknown; description: string }>(khook.config.properties);
    assert.deepEqual(
      tableRows(section(text, '## Options')),
      options.map(([name, { default: fallback, description }]) => [name, JSON.stringify(fallback), description]),
    );
  });

  it('has one row for each event type, and none for any other', () => {
    const types = tableRows(section(text, '## What becomes an event')).map(([type]) => type);
    assert.deepEqual(types.sort(), [...khook.eventTypes].sort());
  });

  it('has one row for each metric, and none for any other', () => {
    const documented = tableRows(section(text, '## Metrics')).map(([name]) => name);
    const defined = [...code.matchAll(/name: '(kubernetes_\w+)'/g)].map(([, name]) => name);
    assert.deepEqual(documented.sort(), [...new Set(defined)].sort());
  });

  it('names in the list of log lines what the plugin says', () => {
    const rows = tableRows(section(readDoc('logs.md'), '## What the lines say'));
    const documented = rows.flatMap(([name, , line = '']) => (name === 'kubernetes-plugin' ? [line] : []));
    const said = [...code.matchAll(/['`](Kubernetes (?:event|object)[^'`$]*)/g)].map(([, words = '']) => words.trim());
    const isDebug = (words: string): boolean => words === 'Kubernetes event ignored';
    for (const words of said.filter((each) => !isDebug(each)))
      assert.ok(
        documented.some((line) => line.startsWith(words)),
        words,
      );
    for (const line of documented)
      assert.ok(
        said.some((words) => line.startsWith(words)),
        line,
      );
  });
});
