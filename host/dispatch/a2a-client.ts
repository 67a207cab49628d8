/**
 * Calls agents over A2A. Speaks 1.0, falls back to 0.3 when an agent refuses the version, and remembers which one it took.
 * Sending does not wait for the agent's work: the task is followed by asking for it.
 */

import { type Client, ClientFactory, JsonRpcTransportFactory } from '@a2a-js/sdk/client';
import { type Clock, delay } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import { cardFor, messageFor, type ProtocolVersion, taskState, taskText } from './a2a-message.ts';
import type { AgentClient, FollowOptions, SendResult, TaskEnd } from './agent-client.ts';
import { agentError, failureOf, quote } from './agent-error.ts';
import { AgentHttp } from './agent-http.ts';
import { AgentSession } from './agent-session.ts';
import type { Delivery } from './delivery.ts';
import { attemptsMade, isRetryable, isSettledTask } from './delivery-policy.ts';

export interface A2aClientOptions {
  /** Of kagent: agents answer at `{baseUrl}/api/a2a/{namespace}/{name}/`. */
  readonly baseUrl: string;
  readonly userId: string;
  /** Of each request. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** One agent for every firing, at exactly this URL; null = kagent's. */
  readonly agentUrl: string | null;
}

const POLL_FIRST_MS = 100;
const POLL_GROWTH = 1.6;
const POLL_MAX_MS = 2_000;
const MAX_REMEMBERED = 1_000;

const RPC_TASK_NOT_FOUND = -32_001;
const RPC_VERSION_NOT_SUPPORTED = -32_009;
const RPC_METHOD_NOT_FOUND = -32_601;

export class A2aClient implements AgentClient {
  readonly #agentUrl: string | null;
  readonly #baseUrl: string;
  readonly #clock: Clock;
  readonly #http: AgentHttp;
  readonly #session: AgentSession | null;
  readonly #factory: ClientFactory;
  readonly #versions = new Map<string, ProtocolVersion>();

  constructor({ baseUrl, userId, timeoutMs, clock, agentUrl }: A2aClientOptions) {
    this.#agentUrl = agentUrl;
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#clock = clock;
    this.#http = new AgentHttp({ userId, timeoutMs, clock });
    this.#session =
      agentUrl === null ? new AgentSession({ baseUrl: this.#baseUrl, userId, http: this.#http, clock }) : null;
    this.#factory = new ClientFactory({
      transports: [new JsonRpcTransportFactory({ fetchImpl: this.#http.fetch, legacyCompat: { enabled: true } })],
    });
  }

  async send(delivery: Delivery, signal: AbortSignal): Promise<SendResult> {
    if (attemptsMade(delivery.state) <= 1) await this.#session?.open(delivery, signal);
    const request = messageFor(delivery);
    const answer = await this.#speak(this.#url(delivery), (client) => client.sendMessage(request, { signal }));
    if ('messageId' in answer) return { kind: 'message' };
    if (answer.id === '') throw this.#notA2a(this.#url(delivery), 'a task without an id');
    return { kind: 'task', taskId: answer.id, state: taskState(answer), text: taskText(answer) };
  }

  async follow(delivery: Delivery, taskId: string, { timeoutMs, signal }: FollowOptions): Promise<TaskEnd> {
    const url = this.#url(delivery);
    const deadline = this.#clock.now() + timeoutMs;
    let intervalMs = POLL_FIRST_MS;
    let trouble = '';
    for (;;) {
      await this.#pause(Math.min(intervalMs, Math.max(0, deadline - this.#clock.now())), signal);
      try {
        const end = await this.#ask(url, taskId, signal);
        if (isSettledTask(end.state)) return end;
        trouble = '';
      } catch (error) {
        if (signal.aborted || !isRetryable(failureOf(error))) throw error;
        trouble = ` Last trouble: ${messageOf(error)}`;
      }
      if (this.#clock.now() >= deadline) {
        const what = `did not finish task ${taskId} within ${timeoutMs} ms`;
        throw taskError(url, what, `The agent may still work on it; look at its log.${trouble}`);
      }
      intervalMs = Math.min(POLL_MAX_MS, intervalMs * POLL_GROWTH);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
  }

  async #ask(url: string, taskId: string, signal: AbortSignal): Promise<TaskEnd> {
    try {
      const request = { tenant: '', id: taskId, historyLength: 0 };
      const task = await this.#speak(url, (client) => client.getTask(request, { signal }));
      return { state: taskState(task), text: taskText(task) };
    } catch (error) {
      if (failureOf(error).rpcCode !== RPC_TASK_NOT_FOUND) throw error;
      const advice = 'It may have restarted. The message is not sent again, because the agent had taken it.';
      throw taskError(url, `no longer knows task ${taskId}`, advice);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await delay(this.#clock, ms, signal);
    } catch {
      throw new HostError('HOST_ERR_STOPPING', 'The task is no longer followed: khook stops.');
    }
  }

  #url({ firing: { agent } }: Delivery): string {
    if (this.#agentUrl !== null) return this.#agentUrl;
    return `${this.#baseUrl}/api/a2a/${encodeURIComponent(agent.namespace)}/${encodeURIComponent(agent.name)}/`;
  }

  /** In the version the agent is known to take, else in the other one. */
  async #speak<T>(url: string, call: (client: Client) => Promise<T>): Promise<T> {
    const usual = this.#versions.get(url) ?? '1.0';
    const other: ProtocolVersion = usual === '1.0' ? '0.3' : '1.0';
    try {
      return await this.#call(url, usual, call);
    } catch (refused) {
      if (!isVersionRefusal(refused)) throw refused;
    }
    const answer = await this.#call(url, other, call).catch((error: unknown) => {
      throw isVersionRefusal(error) ? this.#notA2a(url, `a refusal of A2A 1.0 and of 0.3: ${messageOf(error)}`) : error;
    });
    this.#remember(url, other);
    return answer;
  }

  async #call<T>(url: string, version: ProtocolVersion, call: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#factory.createFromAgentCard(cardFor(url, version));
    try {
      return await call(client);
    } catch (error) {
      throw error instanceof HostError ? error : this.#translate(url, error);
    }
  }

  /** The SDK throws its own errors for JSON-RPC errors, and plain ones for answers it cannot read. */
  #translate(url: string, error: unknown): HostError {
    const { envelopeCode } = error as { envelopeCode?: unknown };
    if (typeof envelopeCode !== 'number') return this.#notA2a(url, quote(messageOf(error)), error);
    return agentError({
      code: 'HOST_ERR_AGENT_REFUSED',
      url,
      rpcCode: envelopeCode,
      what: `answered with JSON-RPC error ${envelopeCode}: ${quote(messageOf(error))}`,
      advice: "Look at the agent's own log for the cause.",
      cause: error,
    });
  }

  #notA2a(url: string, what: string, cause?: unknown): HostError {
    return agentError({
      code: 'HOST_ERR_AGENT_REFUSED',
      url,
      what: `gave an answer that khook cannot use (${what})`,
      advice: 'Check that this URL is that of an A2A agent that speaks JSON-RPC 1.0 or 0.3.',
      cause,
    });
  }

  #remember(url: string, version: ProtocolVersion): void {
    this.#versions.delete(url);
    this.#versions.set(url, version);
    const oldest = this.#versions.keys().next();
    if (this.#versions.size > MAX_REMEMBERED && oldest.done !== true) this.#versions.delete(oldest.value);
  }
}

function taskError(url: string, what: string, advice: string): HostError {
  return agentError({ code: 'HOST_ERR_AGENT_TASK', url, what, advice });
}

/** The agent does not speak this version, and has therefore not read the message. */
function isVersionRefusal(error: unknown): boolean {
  const { status, rpcCode, message } = failureOf(error);
  if (rpcCode === RPC_VERSION_NOT_SUPPORTED || rpcCode === RPC_METHOD_NOT_FOUND) return true;
  return (status === 400 && /A2A[- ]version/i.test(message)) || (rpcCode !== null && /method not found/i.test(message));
}
