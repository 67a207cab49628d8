/** Runs bodies through one host as subtests, a group at a time, and prints the table at the end. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BODIES } from './bodies.ts';
import { type Body, GROUPS, type Tier } from './body.ts';
import { type CorpusRow, runBody } from './body-run.ts';
import { CorpusHost } from './corpus-host.ts';
import { tableText, writeResults } from './table.ts';

export interface CorpusOptions {
  readonly tier: Tier;
  readonly admit: (body: Body) => boolean;
  /** Of the results' files; null: none are written. */
  readonly name: string | null;
}

export function runCorpus({ tier, admit, name }: CorpusOptions): void {
  const admitted = BODIES.filter(admit);
  if (admitted.length === 0) return;
  describe(`corpus in the ${tier} tier`, { skip: process.platform === 'linux' ? false : 'reads /proc' }, () => {
    const rows: CorpusRow[] = [];
    const closes: (() => unknown)[] = [];
    let corpus: CorpusHost;
    before(async () => {
      corpus = await CorpusHost.start({ after: (close) => void closes.push(close as () => unknown) }, tier);
    });
    after(async () => {
      if (name !== null) {
        process.stdout.write(`\n${tableText(rows)}`);
        process.stdout.write(`written to ${writeResults(name, rows)}\n`);
      }
      for (const close of closes.reverse()) await close();
    });
    for (const group of GROUPS) {
      const bodies = admitted.filter((body) => body.group === group);
      if (bodies.length === 0) continue;
      describe(group, () => {
        for (const body of bodies) {
          it(`${body.name}: ${body.does}; ${body.expect[tier].join(' or ')}`, async (t) => {
            const row = await runBody(corpus, body);
            rows.push(row);
            t.diagnostic(`neighbour p99 ${row.neighbour.p99Ms} ms, longest gap ${row.neighbour.gapMs} ms`);
            if (!row.isAsExpected) assert.fail(`\n${tableText([row])}`);
          });
        }
      });
    }
    it('leaves nothing unaccounted for', async () =>
      assert.equal((await corpus.json<{ residual: number }>('/api/v1/ledger')).residual, 0));
  });
}
