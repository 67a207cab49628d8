/** The rows of a run as a text that fits a terminal, and as a file. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CorpusRow } from './body-run.ts';

const RESULTS = resolve(import.meta.dirname, '../../.khook/corpus');
const HEADER = [
  '',
  'body',
  'tier',
  'outcome',
  'host',
  'neighbour',
  'p99 ms',
  'gap ms',
  'contained ms',
  'gone ms',
  'peak MB',
];

export function tableText(rows: readonly CorpusRow[]): string {
  const cells = [HEADER, ...rows.map(cellsOf)];
  const widths = HEADER.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const wrong = rows.filter(({ isAsExpected }) => !isAsExpected);
  const reasons = wrong.map(
    ({ body, tier, expected, evidence }) => `  ${body} (${tier}): expected ${expected.join(' or ')}; ${evidence}`,
  );
  const verdict = `${rows.length - wrong.length} of ${rows.length} as expected`;
  return `${lines.join('\n')}\n\n${verdict}${wrong.length > 0 ? `; not as expected:\n${reasons.join('\n')}` : ''}\n`;
}

function cellsOf(row: CorpusRow): string[] {
  const { neighbour } = row;
  return [
    row.isAsExpected ? 'ok' : 'NO',
    row.body,
    row.tier,
    row.outcome,
    row.isHostAlive ? 'alive' : 'DEAD',
    row.isNeighbourAlive ? 'alive' : 'DEAD',
    neighbour.p99Ms.toFixed(1),
    neighbour.gapMs.toFixed(0),
    row.containMs === null ? '-' : String(row.containMs),
    row.goneMs === null ? 'NEVER' : String(row.goneMs),
    (row.peakBytes / 1024 / 1024).toFixed(0),
  ];
}

/** Returns the folder. */
export function writeResults(name: string, rows: readonly CorpusRow[]): string {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.txt`), tableText(rows));
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(rows, null, 1)}\n`);
  return RESULTS;
}
