/** What is wrong with Hooks and mappings, seen in them alone, without any event. Pure. */

import { type Hook, hookId } from '../config/hook.ts';
import type { HookFault } from '../replay/hook-faults.ts';
import type { Evidence } from './evidence.ts';
import { type Finding, note, problem, warning } from './finding.ts';
import { faultyHooks } from './hook-sources.ts';
import { promptSlips } from './prompt-slips.ts';

export function ruleFindings(evidence: Evidence): Finding[] {
  return [...hookFindings(evidence), ...mappingFindings(evidence)];
}

function hookFindings(evidence: Evidence): Finding[] {
  const { rules, plans, hookProblems } = evidence;
  // Of a plugin that is there it is told why it does not run, and which Hooks wait for it.
  const isKnown = ({ kind, plugin }: HookFault): boolean =>
    kind === 'source' && plans.some(({ name, kind: plan }) => name === plugin && plan !== 'run');
  const found = faultyHooks(evidence).flatMap(({ hook, faults }) => {
    const findings = faults.filter((fault) => !isKnown(fault)).map((fault) => findingOf(hook, fault));
    const said = hookProblems.get(hookId(hook));
    const isTold = said === undefined || findings.some(({ code }) => code === 'HOOK_FILTER');
    return [...findings, ...(isTold ? [] : [ofPrompt(hook, said)]), ...slipsIn(hook)];
  });
  if (rules.hooks.length > 0) return found;
  return [noHook(evidence)];
}

/** They stay in the text, and the agent is asked about them. */
function slipsIn(hook: Hook): Finding[] {
  const slips = hook.eventConfigurations.flatMap(({ prompt }) => promptSlips(prompt));
  return slips.map(({ written, meant }) =>
    warning({
      code: 'HOOK_FAULT',
      subject: `Hook ${hookId(hook)}`,
      problem: `The prompt of Hook ${hookId(hook)} names ${written}, which no event has: it goes out as it stands.`,
      evidence: placeOf(hook),
      fix: `Write ${meant} in its place.`,
    }),
  );
}

function noHook({ hooksFolder, cluster: { watchNamespaces } }: Evidence): Finding {
  const told = { code: 'HOOK_NONE', subject: 'Hooks', problem: 'There is no Hook, so nothing ever fires.' } as const;
  const example = 'docs/getting-started.md has an example';
  const paste = 'kubectl get hooks -A';
  if (hooksFolder === null && watchNamespaces.length > 0)
    return note({
      ...told,
      evidence: [`WATCH_NAMESPACE: only Hooks of ${watchNamespaces.join(', ')} count`],
      fix: `Write one in such a namespace, or let khook look elsewhere too (WATCH_NAMESPACE); ${example}.`,
      paste,
    });
  if (hooksFolder === null) return note({ ...told, fix: `Write one; ${example}.`, paste });
  const { directory, passedOver } = hooksFolder;
  return note({
    ...told,
    evidence: passedOver.map((each) => `in ${directory}: ${each}`),
    fix: `Write one into a file of ${directory} whose name ends in .yaml; ${example}.`,
    paste: `ls -l ${directory}`,
  });
}

function findingOf(hook: Hook, { kind, cause, fix, paste }: HookFault): Finding {
  const about = { subject: `Hook ${hookId(hook)}`, evidence: placeOf(hook), fix: `${fix}.`, paste: paste ?? '' };
  if (kind === 'suspended')
    return warning({
      ...about,
      code: 'HOOK_SUSPENDED',
      problem: `Hook ${hookId(hook)} is suspended and fires nothing.`,
    });
  if (kind === 'filter')
    return problem({ ...about, code: 'HOOK_FILTER', problem: `Hook ${hookId(hook)} matches nothing: ${cause}.` });
  return problem({
    ...about,
    code: kind === 'source' ? 'HOOK_SOURCE' : 'HOOK_FAULT',
    problem: `Hook ${hookId(hook)} can not fire${isPart(hook, kind) ? ' for all that it lists' : ''}: ${cause}${cause.endsWith('?') ? '' : '.'}`,
  });
}

/** The others of its types are not at fault. */
function isPart({ eventConfigurations }: Hook, kind: HookFault['kind']): boolean {
  return (kind === 'type' || kind === 'source') && new Set(eventConfigurations.map((each) => each.eventType)).size > 1;
}

/** Where it stands. */
function placeOf({ origin }: Hook): string[] {
  return origin === '' ? [] : [`it stands in ${origin}`];
}

function ofPrompt(hook: Hook, said: string): Finding {
  return warning({
    code: 'HOOK_FAULT',
    subject: `Hook ${hookId(hook)}`,
    problem: `Hook ${hookId(hook)}: ${said}.`,
    evidence: placeOf(hook),
    cause: 'It fires with the text of the prompt as it stands.',
    fix: 'Mend the prompt.',
  });
}

function mappingFindings({ rules, plans }: Evidence): Finding[] {
  const known = new Map(plans.map((plan) => [plan.name, plan]));
  return rules.mappings.flatMap(({ eventSource, eventType, enabled }) => {
    const plan = known.get(eventSource);
    if (!enabled || plan === undefined) return [];
    const about = { subject: `mapping ${eventSource}:${eventType}` };
    if (plan.kind !== 'run' || plan.spec.eventTypes.includes(eventType)) return [];
    return warning({
      ...about,
      code: 'MAPPING_UNFED',
      problem: `Mapping ${eventSource}:${eventType} is never used: the plugin does not declare that type.`,
      evidence: [`its manifest declares ${plan.spec.eventTypes.join(', ') || 'no type'}`],
      fix: 'Write one of these types in event-mappings.yaml, or take the mapping out.',
    });
  });
}
