/** How many events per second one plugin gets judged, and what an event costs the host thread, against threads that only post messages. */

import { baseline, type Measured } from './baseline.ts';
import { runLoad } from './host.ts';
import { median, type Row, row } from './report.ts';

const COUNT = 300_000;
const REPEATS = 5;

export async function pipeline(): Promise<Row[]> {
  const runs: Record<'single' | 'batched' | 'khook', Measured[]> = { single: [], batched: [], khook: [] };
  for (let n = 0; n < REPEATS; n += 1) {
    runs.single.push(await baseline(COUNT, 1));
    runs.batched.push(await baseline(COUNT, 256));
    const { ms, hostMicros } = await runLoad({ count: COUNT, perSecond: 0 });
    runs.khook.push({ eventsPerSecond: (COUNT / ms) * 1000, hostMicros: hostMicros / COUNT });
  }
  const rate = (name: keyof typeof runs): number => median(runs[name].map(({ eventsPerSecond }) => eventsPerSecond));
  const cost = (name: keyof typeof runs): number => median(runs[name].map(({ hostMicros }) => hostMicros));
  const floor = { rate: rate('single'), cost: cost('single') };
  return (['single', 'batched', 'khook'] as const).map((name) =>
    row(LABELS[name], {
      'events/s': Math.round(rate(name)),
      '× single': rate(name) / floor.rate,
      'host µs/event': cost(name),
      '÷ single': floor.cost / cost(name),
    }),
  );
}

const LABELS = {
  single: 'baseline: one postMessage per event, no matching',
  batched: 'baseline: 256 objects per postMessage, no matching',
  khook: 'khook: one plugin → verdict',
};
