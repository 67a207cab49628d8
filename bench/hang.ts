/** How soon a plugin whose loop stands still, or spins, is noticed and replaced, with the default limits. Without a watchdog: never. */

import { runBody } from '../test/corpus/body-run.ts';
import { CorpusHost } from '../test/corpus/corpus-host.ts';
import { bodiesNamed, withCorpus } from './corpus.ts';
import { median, type Row, row } from './report.ts';

const REPEATS = 5;
const WAYS: readonly string[] = ['throw-in-timer', 'loop', 'loop-in-promises', 'slow-regex', 'spin'];

export function hang(): Promise<Row[]> {
  return withCorpus(async (t) => {
    const corpus = await CorpusHost.start(t, 'thread');
    const rows: Row[] = [];
    for (const body of bodiesNamed(WAYS)) {
      const runs = [];
      for (let n = 0; n < REPEATS; n += 1) runs.push(await runBody(corpus, body, { untilReplaced: true }));
      const label = body.name === 'throw-in-timer' ? 'baseline: a plugin that throws' : `a plugin that ${body.does}`;
      rows.push(
        row(label, {
          'noticed s': median(runs.map(({ containMs }) => (containMs ?? Number.NaN) / 1000)),
          'replaced s (budget 3)': median(runs.map(({ replacedMs }) => (replacedMs ?? Number.NaN) / 1000)),
          'worst s': Math.max(...runs.map(({ replacedMs }) => (replacedMs ?? Number.NaN) / 1000)),
        }),
      );
    }
    return rows;
  });
}
