/**
 * Renders the cases of scripts/template-vectors/cases.ts with Go's text/template and writes what the template tests compare
 * with. Needs Go, unlike the tests: `npm run vectors:template`.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TEMPLATE_DATA, templateCases } from './template-vectors/cases.ts';

const program = fileURLToPath(new URL('./template-vectors/main.go', import.meta.url));
const directory = new URL('../test/host/match/vectors/', import.meta.url);

const run = spawnSync('go', ['run', program], {
  input: JSON.stringify({ data: TEMPLATE_DATA, cases: templateCases() }),
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
process.stdout.write(
  `${vectors.length} vectors, ${vectors.filter((v) => v.result !== 'ok').length} of them refused by Go\n`,
);
