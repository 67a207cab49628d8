/** How far the host's resident memory grows before a steady leak is cut, in multiples of the plugin's limit. Without a watchdog: until the machine is full. */

import { runBody } from '../test/corpus/body-run.ts';
import { CorpusHost } from '../test/corpus/corpus-host.ts';
import { bodiesNamed, withCorpus } from './corpus.ts';
import { median, type Row, row } from './report.ts';

const REPEATS = 3;
const LIMIT_BYTES = 64 * 1024 * 1024;
/** The healthy ones are the baseline: much garbage, little that is held. */
const WAYS: readonly string[] = [
  ...['ring', 'buffers'],
  ...['leak-array', 'leak-text', 'leak-slowly', 'grow-buffers', 'grow-slowly', 'grow-port-queue', 'grow-keys'],
];

export async function leak(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const body of bodiesNamed(WAYS)) {
    const runs = [];
    // A host of its own each: what an earlier leak left free in the process would be taken first, and hide the growth.
    for (let n = 0; n < REPEATS; n += 1) {
      runs.push(await withCorpus(async (t) => runBody(await CorpusHost.start(t, 'thread'), body)));
    }
    const grown = runs.map(({ baseBytes, peakBytes }) => (peakBytes - baseBytes) / LIMIT_BYTES);
    const isHealthy = body.group === 'healthy';
    rows.push(
      row(`${isHealthy ? 'baseline, healthy: ' : ''}${body.does}`, {
        '× limit (budget 3)': median(grown),
        'worst × limit': Math.max(...grown),
        ...(!isHealthy && { 'cut after s': median(runs.map(({ containMs }) => (containMs ?? Number.NaN) / 1000)) }),
      }),
    );
  }
  return rows;
}
