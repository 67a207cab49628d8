/** Go's own renderings, written by scripts/template-vectors.ts. Go is not needed to compare with them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderTemplate } from '../../../../host/match/template/evaluator.ts';
import { parseTemplate } from '../../../../host/match/template/parser.ts';
import { TemplateError } from '../../../../host/match/template/template-error.ts';

interface Vector {
  readonly name: string;
  readonly template: string;
  readonly result: 'ok' | 'parse' | 'execute';
  readonly text?: string;
  readonly error?: string;
}

const file = new URL('../vectors/template.json', import.meta.url);
const { data, vectors } = JSON.parse(readFileSync(file, 'utf8')) as { data: unknown; vectors: Vector[] };

/** Where khook knowingly differs from Go: name → why, and what it answers (null: it refuses). */
const DIFFERENCES: Readonly<Record<string, { readonly why: string; readonly text: string | null }>> = {
  'literals 12': {
    why: 'a whole number is an int, however it is written',
    text: '15000000000 1e-07 1.234567895e+08 0.0001 1e-05 1e+22',
  },
  'pipes 10': { why: 'a pipe into nothing is refused', text: null },
  'pipes 11': { why: 'a pipe into nothing is refused', text: null },
};

function render(vector: Vector): string | null {
  try {
    const rendering = renderTemplate(parseTemplate(vector.template), data, 100_000);
    return rendering.text;
  } catch (error) {
    assert.ok(error instanceof TemplateError, `${vector.name}: ${String(error)}`);
    assert.match(error.message, /^\d+:\d+: /);
    return null;
  }
}

test('template vectors: there are at least 150, and Go refused some of them', () => {
  assert.ok(vectors.length >= 150);
  assert.ok(
    vectors.some((vector) => vector.result === 'parse') && vectors.some((vector) => vector.result === 'execute'),
  );
});

for (const vector of vectors) {
  const difference = Object.hasOwn(DIFFERENCES, vector.name) ? DIFFERENCES[vector.name] : undefined;
  const expected = vector.result === 'ok' ? (vector.text ?? '') : null;
  const title = `template vectors: ${vector.name} ${JSON.stringify(vector.template)}`;
  test(difference === undefined ? `${title} is as in Go` : `${title} differs from Go: ${difference.why}`, () => {
    if (difference !== undefined) assert.notEqual(difference.text, expected, 'it agrees with Go by now');
    assert.equal(render(vector), difference === undefined ? expected : difference.text, vector.error ?? title);
  });
}
