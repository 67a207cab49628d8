/** What /healthz and /readyz say, as pure functions of what the host knows. */

import type { PluginPlan } from '../config/plugin-plan.ts';
import type { Check } from '../http/view.ts';
import type { PluginState } from '../supervision/state.ts';

/** A loop that was due so long ago is dead. */
const LOOP_LATE_MS = 10_000;

export interface PluginStanding {
  readonly name: string;
  readonly plan: PluginPlan | null;
  readonly state: PluginState;
  /** Why what it listens to cannot be reached; null while it can. */
  readonly staleness: string | null;
}

/** `loops`: name → milliseconds since it last ran. */
export function healthChecks(loops: Readonly<Record<string, number>>): Check[] {
  return Object.entries(loops).map(([name, lateMs]) => ({
    name,
    ok: lateMs < LOOP_LATE_MS,
    detail: lateMs < LOOP_LATE_MS ? '' : `last ran ${(lateMs / 1000).toFixed(0)} s ago`,
  }));
}

export interface ReadinessInput {
  /** Files that could not be used as a whole. */
  readonly brokenFiles: readonly string[];
  readonly isStopping: boolean;
  /** Why the outbox cannot be written; null when it can. */
  readonly outboxFault: string | null;
  /** Why the Hooks of the cluster are not known; empty when they are, null when none are read from there. */
  readonly hooksProblem: string | null;
  readonly plugins: readonly PluginStanding[];
}

export function readinessChecks(input: ReadinessInput): Check[] {
  const { brokenFiles, isStopping, outboxFault, hooksProblem, plugins } = input;
  const config: Check = {
    name: 'config',
    ok: brokenFiles.length === 0,
    detail: brokenFiles.length === 0 ? '' : `${brokenFiles.join(', ')} could not be used; see the log`,
  };
  const running: Check = { name: 'accepting', ok: !isStopping, detail: isStopping ? 'khook is stopping' : '' };
  const outbox: Check = { name: 'outbox', ok: outboxFault === null, detail: outboxFault ?? '' };
  const hooks = hooksProblem === null ? [] : [{ name: 'hooks', ok: hooksProblem === '', detail: hooksProblem }];
  return [config, running, outbox, ...hooks, ...plugins.filter(isRequired).map(pluginCheck)];
}

/** A plugin counts when plugins.yaml says so, unless only a connection is missing. */
function isRequired({ plan }: PluginStanding): boolean {
  if (plan === null || plan.kind === 'disabled') return false;
  if (plan.kind === 'run') return plan.spec.required;
  return plan.required && !(plan.kind === 'blocked' && plan.why === 'connection');
}

function pluginCheck({ name, state, staleness }: PluginStanding): Check {
  if (staleness !== null) return { name: `plugin-${name}`, ok: false, detail: describeStaleness(staleness) };
  const ok = state.kind === 'running';
  return { name: `plugin-${name}`, ok, detail: ok ? '' : describeState(state) };
}

export function describeStaleness(staleness: string): string {
  return `its source is stale: ${staleness}`;
}

/** One line for a person. */
export function describeState(state: PluginState): string {
  switch (state.kind) {
    case 'blocked':
      return `blocked(${state.why}): ${state.reason}`;
    case 'failed':
    case 'backing-off':
      return `${state.kind}: ${state.lastExit.detail}`;
    case 'draining':
      return `draining: ${state.why}`;
    default:
      return state.kind;
  }
}
