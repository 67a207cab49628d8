/** How long an event takes from emit to its acknowledgement in the plugin, at a steady rate. */

import { runLoad } from './host.ts';
import { median, type Row, row } from './report.ts';

const PER_SECOND = 5_000;
const SECONDS = 4;
const REPEATS = 5;

export async function latency(): Promise<Row[]> {
  const runs = [];
  for (let n = 0; n < REPEATS; n += 1) runs.push(await runLoad({ count: PER_SECOND * SECONDS, perSecond: PER_SECOND }));
  return [
    row(`khook: emit → ack at ${PER_SECOND} events/s`, {
      'p50 ms': median(runs.map(({ p50 }) => p50)),
      'p99 ms': median(runs.map(({ p99 }) => p99)),
      'p99.9 ms': median(runs.map(({ p999 }) => p999)),
    }),
  ];
}
