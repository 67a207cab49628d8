/**
 * Renders the templates of scripts/template-vectors/cases.json with Go's text/template and writes what the template tests
 * compare with. Needs Go, unlike the tests: `npm run vectors:template`.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface CaseFile {
  /** What every template is rendered with. */
  readonly data: unknown;
  /** Templates by what they are about. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

const here = new URL('./template-vectors/', import.meta.url);
const directory = new URL('../test/host/match/vectors/', import.meta.url);
const { data, groups } = JSON.parse(readFileSync(new URL('cases.json', here), 'utf8')) as CaseFile;
const cases = Object.entries(groups).flatMap(([group, templates]) =>
  templates.map((template, i) => ({ name: `${group} ${i + 1}`, template })),
);

const program = fileURLToPath(new URL('main.go', here));
const run = spawnSync('go', ['run', program], {
  input: JSON.stringify({ data, cases }),
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (run.error !== undefined || run.status !== 0) {
  process.stderr.write(`go run ${program} failed: ${run.error?.message ?? run.stderr}\n`);
  process.exit(1);
}
const { vectors } = JSON.parse(run.stdout) as { vectors: { result: string }[] };
mkdirSync(directory, { recursive: true });
writeFileSync(new URL('template.json', directory), run.stdout);
process.stdout.write(`${vectors.length} vectors, ${vectors.filter((v) => v.result !== 'ok').length} refused by Go\n`);
