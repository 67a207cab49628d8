/** Pictures in the documentation: each is there, small, and shown somewhere. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { it } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const MAX_BYTES = 200_000;

it('docs/images: each picture that a page shows is there, and each that is there is small and shown', () => {
  const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))];
  const shown = pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => {
      const text = readFileSync(join(ROOT, page), 'utf8');
      const paths = [...text.matchAll(/(?:!\[[^\]]*\]\(|src(?:set)?=")([^)"\s]+\.png)/g)].map(([, path = '']) => path);
      return paths.map((path) => join(dirname(page), path));
    });
  const there = readdirSync(join(ROOT, 'docs/images')).map((name) => join('docs/images', name));
  assert.deepEqual([...new Set(shown)].sort(), there.sort());
  for (const path of there) {
    assert.ok(statSync(join(ROOT, path)).size < MAX_BYTES, relative(ROOT, path));
    assert.equal(readFileSync(join(ROOT, path)).subarray(1, 4).toString('latin1'), 'PNG', path);
  }
});
