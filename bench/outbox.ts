/** What it costs that an accepted firing outlives the process: how fast firings are taken over with the outbox in memory, in a file, and flushed to the disk. */

import { runHost } from './host.ts';
import { median, type Row, row } from './report.ts';

const COUNT = 20_000;
const REPEATS = 5;

const OUTBOXES = [
  ['in memory: nothing outlives the process', null],
  ['in a file, durability process', 'process'],
  ['in a file, durability machine', 'machine'],
] as const;

export async function outbox(): Promise<Row[]> {
  const rows: Row[] = [];
  let floor = 0;
  for (const [label, durability] of OUTBOXES) {
    const runs = [];
    for (let n = 0; n < REPEATS; n += 1)
      runs.push(await runHost({ count: COUNT, perSecond: 0, resources: COUNT }, { durability }));
    const rate = median(runs.map(({ ms }) => (COUNT / ms) * 1000));
    floor ||= rate;
    rows.push(
      row(label, {
        'firings/s': Math.round(rate),
        '× in memory': rate / floor,
        'host µs/firing': median(runs.map(({ hostMicros }) => hostMicros / COUNT)),
      }),
    );
  }
  return rows;
}
