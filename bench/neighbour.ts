/** What a healthy plugin feels of a hanging, a leaking and a flooding one beside it: its emit → ack against the same with nobody there. */

import { CorpusHost } from '../test/corpus/corpus-host.ts';
import type { Latency } from '../test/corpus/neighbour-latency.ts';
import { bodiesNamed, withCorpus } from './corpus.ts';
import { median, type Row, row } from './report.ts';

const REPEATS = 5;
/** Long enough for each body to be ended and started again. */
const WINDOW_MS = 6_000;

const COMPANY: Readonly<Record<string, readonly string[]>> = {
  'baseline: quiet': [],
  'beside a hanging plugin': ['loop'],
  'beside a leaking plugin': ['leak-array'],
  'beside a flooding plugin': ['flood-events'],
  'beside all three': ['loop', 'leak-array', 'flood-events'],
};

export async function neighbour(): Promise<Row[]> {
  const felt = new Map<string, Latency[]>(Object.keys(COMPANY).map((label) => [label, []]));
  await withCorpus(async (t) => {
    const corpus = await CorpusHost.start(t, 'thread');
    // The first seconds are those of the compiler.
    await corpus.feel(2_000);
    for (let n = 0; n < REPEATS; n += 1) {
      for (const [label, names] of Object.entries(COMPANY)) {
        corpus.put(bodiesNamed(names).map((body) => [body, true]));
        felt.get(label)?.push(await corpus.feel(WINDOW_MS));
        corpus.put([]);
        await corpus.until(() => !corpus.isLeftOf(names), 10_000);
      }
    }
  });
  const p99 = (label: string): number => median((felt.get(label) ?? []).map(({ p99Ms }) => p99Ms));
  const quiet = p99('baseline: quiet');
  return Object.keys(COMPANY).map((label) =>
    row(label, {
      'p50 ms': median((felt.get(label) ?? []).map(({ p50Ms }) => p50Ms)),
      'p99 ms': p99(label),
      '× quiet p99 (budget 3)': p99(label) / quiet,
      'longest gap ms': Math.max(...(felt.get(label) ?? []).map(({ gapMs }) => gapMs)),
    }),
  );
}
