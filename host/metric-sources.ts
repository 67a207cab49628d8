/** What a scrape reads at once from the rooms. */

import type { Rooms } from './rooms.ts';
import { NO_VITAL_SIGNS } from './sandbox/vessel.ts';
import type { MetricSources } from './telemetry/snapshot-metrics.ts';

export function metricSources(
  { plugins, bus, ledger, dispatch, outbox, watchdog }: Rooms,
  { logLinesLost }: { readonly logLinesLost: () => number },
): MetricSources {
  return {
    plugins: () => {
      const queued = bus.queued;
      return plugins.all.map(({ name, plan, state, vitals }) => {
        const { heapBytes, externalBytes, cpuSeconds, eventLoopUtilization } = vitals ?? NO_VITAL_SIGNS;
        return {
          plugin: name,
          version: plan?.version ?? '',
          isolation: plan?.kind === 'run' ? plan.spec.isolation : 'thread',
          isActive: state.kind === 'running',
          heapBytes,
          externalBytes,
          cpuSeconds,
          eventLoopUtilization,
          queueEvents: queued.get(name) ?? 0,
        };
      });
    },
    ledgerResidual: () => ledger.counts.residual,
    activeEvents: () => dispatch.snapshot().dedupKeys,
    outbox: () => ({ firings: outbox.size, hasFault: outbox.fault !== null }),
    logLinesLost,
    zombieThreads: () => watchdog.zombies,
  };
}
