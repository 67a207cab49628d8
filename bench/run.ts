/** `npm run bench [question …]`: measures, prints each figure beside its baseline. Figures are of this machine and this moment; compare ratios. */

import { cpus } from 'node:os';
import { hang } from './hang.ts';
import { latency } from './latency.ts';
import { leak } from './leak.ts';
import { neighbour } from './neighbour.ts';
import { outbox } from './outbox.ts';
import { pipeline } from './pipeline.ts';
import { recycle } from './recycle.ts';
import { type Row, table } from './report.ts';
import { tiers } from './tiers.ts';

const QUESTIONS: Readonly<Record<string, () => Promise<Row[]>>> = {
  pipeline,
  latency,
  neighbour,
  hang,
  leak,
  tiers,
  outbox,
  recycle,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in QUESTIONS));
if (unknown.length > 0) {
  process.stderr.write(
    `bench: unknown question ${unknown.join(', ')}; there are ${Object.keys(QUESTIONS).join(', ')}\n`,
  );
  process.exit(2);
}
process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}; medians of 5\n`,
);
for (const [name, measure] of Object.entries(QUESTIONS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`\n${name}\n${table(await measure())}\n`);
}
process.exit(0);
