/** What it costs that an accepted firing outlives the process: how fast firings are taken over with the outbox in memory, in a file, and flushed to the disk. */

import { type BenchHost, type LoadResult, runHost } from './host.ts';
import { median, type Row, row } from './report.ts';

const COUNT = 20_000;
const REPEATS = 5;

const OUTBOXES: readonly (readonly [string, BenchHost['durability'] & (string | null)])[] = [
  ['baseline: in memory, nothing outlives the process', null],
  ['khook: in a file, durability process', 'process'],
  ['khook: in a file, durability machine', 'machine'],
];

export async function outbox(): Promise<Row[]> {
  const runs = new Map<string, LoadResult[]>(OUTBOXES.map(([label]) => [label, []]));
  // In turns, so that a busy moment of the machine is not one outbox's alone.
  for (let n = 0; n < REPEATS; n += 1) {
    for (const [label, durability] of OUTBOXES)
      runs.get(label)?.push(await runHost({ count: COUNT, perSecond: 0, resources: COUNT }, { durability }));
  }
  const rate = (label: string): number => median((runs.get(label) ?? []).map(({ ms }) => (COUNT / ms) * 1000));
  return OUTBOXES.map(([label]) =>
    row(label, {
      'firings/s': Math.round(rate(label)),
      '× in memory': rate(label) / rate(OUTBOXES[0]?.[0] ?? ''),
      'host µs/firing': median((runs.get(label) ?? []).map(({ hostMicros }) => hostMicros / COUNT)),
    }),
  );
}
