/** What can go wrong between khook and an agent, as coded errors: made here, read here. */

import { messageOf } from '../../ipc/errors.ts';
import { HostError, type HostErrorCode } from '../base/errors.ts';
import type { CallFailure } from './delivery-policy.ts';

export interface AgentErrorDetails {
  readonly url: string;
  readonly status?: number;
  readonly rpcCode?: number;
  readonly retryAfterMs?: number;
  readonly isUnsent?: boolean;
}

export interface AgentErrorInput extends AgentErrorDetails {
  readonly code: HostErrorCode;
  readonly what: string;
  readonly advice: string;
  readonly cause?: unknown;
}

/** Text of an agent is untrusted and of any length: one short line of it is quoted. */
const QUOTE_LIMIT = 300;

export function agentError({ code, what, advice, cause, ...details }: AgentErrorInput): HostError {
  return new HostError(code, `The agent at ${details.url} ${what}. ${advice}`, {
    details: { ...details },
    ...(cause === undefined ? {} : { cause }),
  });
}

export function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a log.
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  return line.length > QUOTE_LIMIT ? `${line.slice(0, QUOTE_LIMIT)}…` : line;
}

/** Anything thrown by a call, as data for the policy. */
export function failureOf(thrown: unknown): CallFailure {
  const details = thrown instanceof HostError ? thrown.details : {};
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  return {
    kind: 'error',
    code: thrown instanceof HostError ? thrown.code : 'HOST_ERR_AGENT_REFUSED',
    message: messageOf(thrown),
    status: number(details.status),
    rpcCode: number(details.rpcCode),
    retryAfterMs: number(details.retryAfterMs),
    ...(details.isUnsent === true ? { isUnsent: true } : {}),
  };
}

/** What to do about an HTTP status, in the words of someone who runs kagent. */
export function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'Check KAGENT_USER_ID and what stands between khook and the agent.';
  if (status === 404) return "Check the Hook's agentRef and that this agent exists.";
  if (status >= 300 && status < 400)
    return 'It redirects, which khook does not follow: use the final URL in KAGENT_API_URL or --agent-url.';
  if (status === 429 || status >= 500) return 'It is tried again.';
  return "Check the URL and the agent's log.";
}
