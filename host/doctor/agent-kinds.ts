/** What is wrong with an agent, told from the error of its last call. Pure. */

import type { FindingCode } from './finding.ts';

export interface AgentKind {
  readonly code: FindingCode;
  /** After `Agent x/y `. */
  readonly words: string;
  readonly fix: string;
  /** Whether to look at what answers at its URL. */
  readonly isUrl?: boolean;
}

interface Rule extends AgentKind {
  readonly error: string;
  readonly message: RegExp;
}

const UNREACHABLE = 'HOST_ERR_AGENT_UNREACHABLE';
const REFUSED = 'HOST_ERR_AGENT_REFUSED';
const TASK = 'HOST_ERR_AGENT_TASK';
const URLS = 'KAGENT_API_URL (or --agent-url)';
const LOG = "Look at the agent's own log; the message says what it did not like.";

/** The first that fits. */
const RULES: readonly Rule[] = [
  {
    error: UNREACHABLE,
    message: /\((ENOTFOUND|EAI_\w+)\)/,
    code: 'AGENT_UNREACHABLE',
    words: 'cannot be reached: nobody knows the name of its host',
    fix: `Correct the name in ${URLS}; that of a Service is NAME.NAMESPACE.svc.`,
  },
  {
    error: UNREACHABLE,
    message: /\([A-Z_]*(CERT|VERIFY|SELF_SIGNED|ISSUER)[A-Z_]*\)/,
    code: 'AGENT_UNREACHABLE',
    words: 'shows a certificate that khook does not trust',
    fix: 'Give khook the authority that signed it, in its environment (NODE_EXTRA_CA_CERTS=/path/to/ca.pem), and start it again; one that has expired or is for another name has to be renewed.',
    isUrl: true,
  },
  {
    error: UNREACHABLE,
    message: /\((EPROTO|ERR_SSL_\w+)\)/,
    code: 'AGENT_UNREACHABLE',
    words: 'speaks no TLS there',
    fix: `Write http:// in place of https:// in ${URLS}, or name its port for TLS.`,
  },
  {
    error: UNREACHABLE,
    message: /\((ECONNRESET|EPIPE|HPE_\w+)\)/,
    code: 'AGENT_UNREACHABLE',
    words: 'takes connections and breaks them off',
    fix: `Check that ${URLS} names the port of an agent; where that wants TLS, write https://.`,
    isUrl: true,
  },
  {
    error: UNREACHABLE,
    message: /(?:)/,
    code: 'AGENT_UNREACHABLE',
    words: 'cannot be reached',
    fix: `Check that it runs, and that ${URLS} names where; a NetworkPolicy may be in the way.`,
  },
  {
    error: 'HOST_ERR_AGENT_TIMEOUT',
    message: /(?:)/,
    code: 'AGENT_SLOW',
    words: 'does not take messages in time',
    fix: 'Look at what it does; KAGENT_API_TIMEOUT, settings.delivery.timeout and spec.timeout of a Hook say how long it may take.',
  },
  {
    error: REFUSED,
    message: /answered with HTTP (404|410)/,
    code: 'AGENT_UNKNOWN',
    words: 'is not known there',
    fix: "Check namespace and name in the Hook's agentRef, and that this agent exists.",
  },
  {
    error: REFUSED,
    message: /answered with HTTP (5\d\d|429)/,
    code: 'AGENT_FAILING',
    words: 'answers with errors',
    fix: "Look at the agent's own log; khook tries again until settings.delivery says enough.",
  },
  {
    error: REFUSED,
    message: /answered with HTTP 3\d\d/,
    code: 'AGENT_REFUSED',
    words: 'answers with a redirect, which khook does not follow',
    fix: `Name the final URL in ${URLS}; if it leads to a log-in, khook has to be let past it.`,
    isUrl: true,
  },
  {
    error: REFUSED,
    message: /answered with HTTP (401|403|407)/,
    code: 'AGENT_REFUSED',
    words: 'does not let khook in',
    fix: 'Check KAGENT_USER_ID, and what stands between khook and the agent: a proxy, a gateway, a mesh.',
  },
  {
    error: REFUSED,
    message: /answered with HTTP 413/,
    code: 'AGENT_REFUSED',
    words: 'finds what khook sends too large',
    fix: 'Lower settings.matcher.maxPromptLength, or let the agent, or the proxy before it, take more.',
  },
  {
    error: REFUSED,
    message: /gave an answer that khook cannot use/,
    code: 'AGENT_REFUSED',
    words: 'gives answers that are not A2A',
    fix: `Check that ${URLS} is that of an A2A agent, and not of a page, a proxy or another API.`,
    isUrl: true,
  },
  {
    error: TASK,
    message: /waits for a person/,
    code: 'AGENT_FAILING',
    words: 'waits for a person in the middle of its task',
    fix: 'Answer it where the agent is used, or put what it asks for into the prompt of the Hook.',
  },
  {
    error: TASK,
    message: /did not finish/,
    code: 'AGENT_FAILING',
    words: 'did not bring its task to an end in time',
    fix: 'Look at its log; settings.delivery.taskTimeout, or spec.timeout of the Hook, says how long a task is followed.',
  },
  { error: TASK, message: /(?:)/, code: 'AGENT_FAILING', words: 'did not bring its task to an end', fix: LOG },
];
const OTHER: AgentKind = { code: 'AGENT_REFUSED', words: 'refuses what khook sends', fix: LOG };

export function agentKind({ code, message }: { readonly code: string; readonly message: string }): AgentKind {
  return RULES.find((rule) => rule.error === code && rule.message.test(message)) ?? OTHER;
}
