/** What a scrape reads at once from the rooms. */

import type { Bus } from '../bus/bus.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { Outbox } from '../dispatch/outbox.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { NO_VITAL_SIGNS } from '../sandbox/vessel.ts';
import type { Watchdog } from '../sandbox/watchdog.ts';
import type { Plugins } from '../supervision/plugins.ts';
import type { MetricSources } from '../telemetry/snapshot-metrics.ts';

/** What is measured and is no room. */
export interface MeasuredOthers {
  readonly wall: () => number;
  readonly logLinesLost: () => number;
  readonly isLeader: () => boolean;
  readonly cluster: Cluster | null;
}

export interface MeasuredRooms {
  readonly plugins: Plugins;
  readonly bus: Bus;
  readonly ledger: Ledger;
  readonly dispatch: Dispatch;
  readonly outbox: Outbox;
  readonly watchdog: Watchdog;
}

export function metricSources(
  { plugins, bus, ledger, dispatch, outbox, watchdog }: MeasuredRooms,
  { wall, logLinesLost, isLeader, cluster }: MeasuredOthers,
): MetricSources {
  return {
    plugins: () => {
      const queued = bus.queued;
      return plugins.all.map(({ name, plan, state, vessel, staleness }) => {
        const { heapBytes, externalBytes, cpuSeconds, eventLoopUtilization } = vessel?.vitals ?? NO_VITAL_SIGNS;
        return {
          plugin: name,
          version: plan?.version ?? '',
          isolation: plan?.kind === 'run' ? plan.spec.isolation : 'thread',
          isActive: state.kind === 'running',
          isStale: staleness !== null,
          heapBytes,
          externalBytes,
          memoryLimitBytes: plan?.kind === 'run' ? plan.spec.limits.memoryBytes : null,
          cpuSeconds,
          eventLoopUtilization,
          queueEvents: queued.get(name) ?? 0,
        };
      });
    },
    ledger: () => ledger.counts,
    activeEvents: () => dispatch.snapshot().dedupKeys,
    outbox: () => ({
      firings: outbox.size,
      hasFault: outbox.fault !== null,
      isFull: dispatch.isHeldBack,
      deadLetters: outbox.deadLetterCount,
    }),
    isLeader,
    hooks: () => {
      if (cluster === null) return { isSynced: true, lastContactAt: wall(), refused: [] };
      const { isSynced, silentMs, refusals } = cluster;
      return { isSynced, lastContactAt: wall() - silentMs, refused: refusals };
    },
    logLinesLost,
    zombieThreads: () => watchdog.zombies,
  };
}
