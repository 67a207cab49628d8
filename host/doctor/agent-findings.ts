/** What is wrong with the agents that were called, and what was given up because of it. Pure. */

import { agentKind } from './agent-kinds.ts';
import type { AgentStanding } from './agent-standing.ts';
import type { Evidence } from './evidence.ts';
import { type Finding, problem, warning } from './finding.ts';
import { counted, span } from './words.ts';

const RECENT_MS = 60 * 60_000;
const SLOW_MS = 10_000;

export function agentFindings({ agents, at, rules }: Evidence): Finding[] {
  const named = new Set(
    rules.hooks.flatMap((hook) => hook.eventConfigurations.map(({ agent }) => `${agent.namespace}/${agent.name}`)),
  );
  // One that no Hook names any more, and that nothing waits for, is history.
  const asked = agents.filter(({ agent, isOpen, waitingSince }) => named.has(agent) || isOpen || waitingSince !== null);
  return asked.flatMap((standing) => {
    const finding = standing.lastFailure === null ? slow(standing, at) : failing(standing, at);
    return finding === null ? [] : [finding];
  });
}

function failing(standing: AgentStanding, at: number): Finding | null {
  const { agent, lastFailure, failures, isOpen, lastAcceptedAt } = standing;
  if (lastFailure === null || (at - lastFailure.at > RECENT_MS && !isOpen)) return null;
  const { code, words, fix, isUrl = false } = agentKind(lastFailure);
  const [, url] = /^The agent at (https?:\/\/[^\s'"`$;|&<>()]+) /.exec(isUrl ? lastFailure.message : '') ?? [];
  const last =
    lastAcceptedAt === null ? 'It has not taken any yet.' : `It took the last one ${span(at - lastAcceptedAt)} ago.`;
  return problem({
    code,
    subject: `agent ${agent}`,
    problem: `Agent ${agent} ${words}.`,
    evidence: [
      `${counted(failures, 'call')} in a row failed, the last one ${span(at - lastFailure.at)} ago. ${last}`,
      `${lastFailure.code}: ${lastFailure.message}`,
      ...(isOpen ? ['Calls to it pause (circuit open); its firings wait in the outbox.'] : []),
    ],
    fix,
    paste: pasteFor(agent, url),
  });
}

function pasteFor(agent: string, url: string | undefined): string {
  if (url !== undefined) return `curl -si ${url}`;
  const [namespace = 'kagent', name = agent] = agent.split('/');
  return `kubectl get agents.kagent.dev -A\nkubectl logs -n ${namespace} deployment/${name}`;
}

function slow({ agent, waitingSince, lastCallMs }: AgentStanding, at: number): Finding | null {
  const waitsMs = waitingSince === null ? 0 : at - waitingSince;
  if (Math.max(waitsMs, lastCallMs ?? 0) < SLOW_MS) return null;
  return warning({
    code: 'AGENT_SLOW',
    subject: `agent ${agent}`,
    problem:
      waitsMs >= SLOW_MS
        ? `Agent ${agent} has not answered a call for ${span(waitsMs)}.`
        : `Agent ${agent} took ${span(lastCallMs ?? 0)} to take its last message.`,
    cause: 'Firings wait in its lane meanwhile; those of other agents do not.',
    fix: 'Look at what it does; settings.delivery.timeout says how long one call may take.',
  });
}

/** Comes after what they died of. */
export function deadLetterFindings({ deadLetters: { total, newest }, at }: Evidence): Finding[] {
  if (total === 0 || newest === null) return [];
  return [
    warning({
      code: 'DEAD_LETTERS',
      subject: 'dead letters',
      problem: `${counted(total, 'firing')} ${total === 1 ? 'was' : 'were'} given up, the newest ${span(at - Date.parse(newest.diedAt))} ago; ${total === 1 ? 'it is' : 'they are'} kept.`,
      evidence: [`${newest.hook} → ${newest.agent}: ${newest.reason}`],
      fix: 'When the agent is well again, send them once more, or drop them.',
      paste: 'khook dead-letters list\nkhook dead-letters retry --all',
    }),
  ];
}
