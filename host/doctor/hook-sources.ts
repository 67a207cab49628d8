/** Which Hooks count on which plugin, and which of them can not fire as they are written. Pure. */

import { type Hook, hookId } from '../config/hook.ts';
import { type HookFault, hookFaults } from '../replay/hook-faults.ts';
import type { Evidence } from './evidence.ts';

export interface FaultyHook {
  readonly hook: Hook;
  readonly faults: readonly HookFault[];
}

export function faultyHooks({ rules, plans }: Pick<Evidence, 'rules' | 'plans'>): FaultyHook[] {
  const running = Object.fromEntries(
    plans.flatMap((plan) =>
      plan.kind === 'run'
        ? [[plan.name, { eventTypes: plan.spec.eventTypes, namespaces: plan.spec.namespaces }] as const]
        : [],
    ),
  );
  return rules.hooks.map((hook) => ({ hook, faults: hookFaults(hook, rules, running) }));
}

/** Hooks that can not fire because this plugin does not run. */
export function waitingFor(plugin: string, evidence: Pick<Evidence, 'rules' | 'plans'>): string[] {
  const waits = ({ faults }: FaultyHook): boolean =>
    faults.some((fault) => fault.kind === 'source' && fault.plugin === plugin);
  return faultyHooks(evidence)
    .filter(waits)
    .map(({ hook }) => hookId(hook));
}
