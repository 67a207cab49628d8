/**
 * Whether a soak shows a host that grows: a line through the samples after the warm-up that were taken at rest. While plugins misbehave
 * the host is as large as they are, which says nothing about it. Pure.
 */

export interface Sample {
  readonly minutes: number;
  /** Every plugin that misbehaved was gone. */
  readonly isResting: boolean;
  readonly residentMb: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly residual: number;
  readonly neighbourP99Ms: number;
  readonly neighbourGapMs: number;
}

export interface SoakVerdict {
  readonly isPassed: boolean;
  readonly lines: readonly string[];
}

/** Of the whole time; compilers and pools fill up meanwhile. */
const WARM_UP_SHARE = 0.25;
/** Per hour, as fitted: allocators make no straight line, see `noise`. */
const GROWTH_PER_HOUR = { residentMb: 60, threads: 6, descriptors: 12 } as const;
/** The longest silence of the neighbour that is no failure. */
const GAP_LIMIT_MS = 5_000;

export interface Line {
  readonly slopePerHour: number;
  /** Standard error of the slope: a slope within twice of it is no growth. */
  readonly noise: number;
}

export function fitLine(points: readonly (readonly [minutes: number, value: number])[]): Line {
  const n = points.length;
  if (n < 3) return { slopePerHour: 0, noise: Number.POSITIVE_INFINITY };
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slopePerHour: slope * 60, noise: Math.sqrt(rest / (n - 2) / spread) * 60 };
}

export function judgeSoak(
  samples: readonly Sample[],
  { deaths, neighbourEnds }: { readonly deaths: number; readonly neighbourEnds: number },
): SoakVerdict {
  const last = samples.at(-1)?.minutes ?? 0;
  const warm = samples.filter(({ minutes }) => minutes >= last * WARM_UP_SHARE);
  const rests = warm.filter(({ isResting }) => isResting);
  const faults: string[] = rests.length < 3 ? [`only ${rests.length} rests: nothing is known about growth`] : [];
  const lines: string[] = [];
  for (const key of ['residentMb', 'threads', 'descriptors'] as const) {
    const { slopePerHour, noise } = fitLine(rests.map((sample) => [sample.minutes, sample[key]]));
    const grows = slopePerHour - 2 * noise > GROWTH_PER_HOUR[key];
    if (grows) faults.push(`${key} grows by ${slopePerHour.toFixed(1)} an hour`);
    const most = Math.max(...warm.map((sample) => sample[key]));
    const growth = `${slopePerHour.toFixed(1)} ± ${(2 * noise).toFixed(1)} per hour (limit ${GROWTH_PER_HOUR[key]})`;
    lines.push(
      `${key}: at rest ${rests.map((sample) => sample[key].toFixed(0)).join(', ')}: ${growth}; at most ${most.toFixed(0)}`,
    );
  }
  const residuals = samples.filter(({ residual }) => residual !== 0);
  if (residuals.length > 0)
    faults.push(`the ledger's residual was ${residuals[0]?.residual} in ${residuals.length} samples`);
  const gap = Math.max(0, ...samples.map(({ neighbourGapMs }) => neighbourGapMs));
  const p99s = samples.map(({ neighbourP99Ms }) => neighbourP99Ms).sort((a, b) => a - b);
  lines.push(
    `neighbour: median p99 ${(p99s[Math.floor(p99s.length / 2)] ?? 0).toFixed(0)} ms, longest gap ${gap.toFixed(0)} ms`,
  );
  if (gap > GAP_LIMIT_MS) faults.push(`the neighbour heard nothing for ${(gap / 1000).toFixed(1)} s`);
  if (deaths > 0) faults.push(`the host died ${deaths} times`);
  if (neighbourEnds > 0) faults.push(`the neighbour ended ${neighbourEnds} times`);
  return { isPassed: faults.length === 0, lines: [...lines, ...faults.map((fault) => `fault: ${fault}`)] };
}
