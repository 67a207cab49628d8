/** One plugin as people see it: its state, its signs, and what it asked for, was granted and uses. Asks nobody. */

import { MAX_LISTENING } from '../../ipc/uses.ts';
import type { PermissionsSnapshot, PluginSnapshot, UseSnapshot } from '../http/view.ts';
import { NO_VITAL_SIGNS } from '../sandbox/vessel.ts';
import type { Supervisor } from '../supervision/supervisor.ts';
import type { Activity } from './activity.ts';
import { safeText } from './flight-snapshots.ts';
import { describeStaleness, describeState } from './health-checks.ts';

export function pluginSnapshot(supervisor: Supervisor, activity: Activity): PluginSnapshot {
  const { name, plan, state, generation, restarts, lastExit, staleness } = supervisor;
  const spec = plan?.kind === 'run' ? plan.spec : null;
  const vitals = supervisor.vessel?.vitals ?? NO_VITAL_SIGNS;
  const lastEventAt = activity.lastEventAt(name);
  const hasReason = state.kind === 'blocked' || state.kind === 'failed' || state.kind === 'backing-off';
  const reason = staleness === null ? '' : describeStaleness(staleness);
  return {
    name,
    version: plan?.version ?? '',
    state: state.kind === 'blocked' ? `blocked(${state.why})` : state.kind,
    reason: safeText(hasReason ? describeState(state) : reason),
    remedy: state.kind === 'blocked' ? state.remedy : '',
    required: plan !== null && plan.kind !== 'disabled' && (spec?.required ?? (plan.kind !== 'run' && plan.required)),
    generation,
    isolation: spec?.isolation ?? 'thread',
    memoryBytes: vitals.heapBytes + vitals.externalBytes,
    externalBytes: vitals.externalBytes,
    memoryLimitBytes: spec?.limits.memoryBytes ?? 0,
    cpuSeconds: vitals.cpuSeconds,
    eventLoopUtilization: vitals.eventLoopUtilization,
    restarts,
    eventsAccepted: activity.accepted(name),
    lastEventAt: lastEventAt === null ? null : time(lastEventAt),
    lastExit:
      lastExit === null
        ? null
        : { reason: lastExit.exit.reason, detail: safeText(lastExit.exit.detail), at: time(lastExit.at) },
    nextStartAt: state.kind === 'backing-off' ? time(state.until) : null,
    retryAt: state.kind === 'failed' && state.retryAt !== null ? time(state.retryAt) : null,
    permissions: permissionsSnapshot(supervisor),
  };
}

function permissionsSnapshot(supervisor: Supervisor): PermissionsSnapshot | null {
  const { plan } = supervisor;
  const access = plan?.kind === 'run' || plan?.kind === 'blocked' ? plan.access : undefined;
  if (access === undefined) return null;
  return { asked: access.asked, granted: access.granted, used: useSnapshot(supervisor, access.environment) };
}

function useSnapshot({ plan, vessel }: Supervisor, environment: readonly string[]): UseSnapshot | null {
  if (vessel === null || plan?.kind !== 'run') return null;
  const { limits, permissions } = plan.spec;
  const { sockets, files, connections, listening, deniedNetwork, deniedFiles, deniedOther } = vessel.uses;
  const ports = permissions.net.listen.slice(0, MAX_LISTENING);
  return {
    listening: ports.filter((_, bit) => (listening & (1 << bit)) !== 0),
    sockets: { open: sockets, limit: limits.sockets },
    files: { open: files, limit: limits.files },
    connections,
    environment,
    kubernetes: permissions.kubernetes,
    denied: { network: deniedNetwork, files: deniedFiles, other: deniedOther },
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
