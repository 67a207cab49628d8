/** The words are a contract: users grep for them. What a running host says is held against the same page in test/e2e/guide.test.ts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDoc, section, tableRows } from '../support/docs.ts';
import { sourceFiles } from '../support/source-files.ts';

const SPEAKERS =
  /^(host\/telemetry\/|host\/app(?:-options)?\.ts|host\/operations\.ts|host\/keeper\.ts|host\/commands\/run\.ts|plugins\/)/;
const sources = sourceFiles().filter(({ path }) => SPEAKERS.test(path));

/** `plugin … stopped: …` as it stands in a template: each `…` is one expression. */
function inSource(phrase: string): RegExp {
  const fixed = phrase.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // A quote inside a quoted text may be escaped.
  return new RegExp(fixed.join('\\$\\{(?:[^{}]|\\{[^{}]*\\})*\\}').replaceAll("'", "\\\\?'"));
}

function componentOf(name: string): RegExp {
  // What plugins say stands under their own name; the manager and the keeper have theirs in a constant of their own.
  if (name.endsWith('-plugin')) return /component\(`\$\{plugin\}-plugin`/;
  return new RegExp(`'${name}'`);
}

describe('docs/logs.md', () => {
  const rows = tableRows(section(readDoc('logs.md'), '## What the lines say'));

  it('quotes lines that khook really writes, under the name that it says', () => {
    assert.ok(rows.length > 40);
    for (const [name = '', , line = ''] of rows) {
      assert.ok(
        sources.some(({ text }) => inSource(line).test(text)),
        `no source says: ${line}`,
      );
      assert.ok(
        sources.some(({ text }) => componentOf(name).test(text)),
        `nobody is called ${name}`,
      );
    }
  });

  it('has no line twice', () => {
    assert.equal(new Set(rows.map(([, , line]) => line)).size, rows.length);
  });
});
