/** What is wrong with the agents that were called, and what was given up because of it. Pure. */

import type { AgentStanding } from './agent-standing.ts';
import type { Evidence } from './evidence.ts';
import { type Finding, type FindingCode, problem, warning } from './finding.ts';
import { counted, span } from './words.ts';

const RECENT_MS = 60 * 60_000;
const SLOW_MS = 10_000;

export function agentFindings({ agents, at }: Evidence): Finding[] {
  return agents.flatMap((standing) => {
    const finding = standing.lastFailure === null ? slow(standing, at) : failing(standing, at);
    return finding === null ? [] : [finding];
  });
}

function failing(standing: AgentStanding, at: number): Finding | null {
  const { agent, lastFailure, failures, isOpen, lastAcceptedAt } = standing;
  if (lastFailure === null || (at - lastFailure.at > RECENT_MS && !isOpen)) return null;
  const { code, words, fix } = kindOf(lastFailure);
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
    paste: `kubectl get agents.kagent.dev -A\nkubectl logs -n ${agent.split('/')[0] ?? 'kagent'} deployment/${agent.split('/')[1] ?? agent}`,
  });
}

interface Kind {
  readonly code: FindingCode;
  readonly words: string;
  readonly fix: string;
}

const URL_FIX =
  'Check that it runs, and that KAGENT_API_URL (or --agent-url) names where; a NetworkPolicy may be in the way.';

function kindOf({ code, message }: { readonly code: string; readonly message: string }): Kind {
  if (code === 'HOST_ERR_AGENT_UNREACHABLE')
    return { code: 'AGENT_UNREACHABLE', words: 'cannot be reached', fix: URL_FIX };
  if (code === 'HOST_ERR_AGENT_TIMEOUT')
    return {
      code: 'AGENT_SLOW',
      words: 'does not take messages in time',
      fix: 'Look at what it does; KAGENT_API_TIMEOUT, settings.delivery.timeout and spec.timeout of a Hook say how long it may take.',
    };
  if (/HTTP (404|410)/.test(message))
    return {
      code: 'AGENT_UNKNOWN',
      words: 'is not known there',
      fix: "Check namespace and name in the Hook's agentRef, and that this agent exists.",
    };
  if (/HTTP (5\d\d|429)/.test(message))
    return {
      code: 'AGENT_FAILING',
      words: 'answers with errors',
      fix: "Look at the agent's own log; khook tries again until settings.delivery says enough.",
    };
  return {
    code: code === 'HOST_ERR_AGENT_TASK' ? 'AGENT_FAILING' : 'AGENT_REFUSED',
    words: code === 'HOST_ERR_AGENT_TASK' ? 'did not bring its task to an end' : 'refuses what khook sends',
    fix: "Look at the agent's own log; the message says what it did not like.",
  };
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
