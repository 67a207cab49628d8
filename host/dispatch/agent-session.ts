/**
 * kagent's REST sessions give a firing a name in its UI. Not every kagent has them, so a session is tried and never required:
 * a short deadline, and after a failure the server is left alone for a while.
 */

import type { Clock } from '../../ipc/clock.ts';
import { agentId } from './agent-client.ts';
import type { AgentHttp } from './agent-http.ts';
import type { Delivery } from './delivery.ts';

export const SESSION_TIMEOUT_MS = 2_000;
/** After 404 or 405: this kagent has no REST sessions. */
const ABSENT_PAUSE_MS = 600_000;
/** After no answer in time: firings must not queue behind a slow server. */
const FAILED_PAUSE_MS = 60_000;

export interface AgentSessionOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly userId: string;
  readonly http: AgentHttp;
  readonly clock: Clock;
}

export class AgentSession {
  readonly #options: AgentSessionOptions;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: AgentSessionOptions) {
    this.#options = options;
  }

  /** Resolves within SESSION_TIMEOUT_MS, whatever comes of it. */
  async open(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { baseUrl, userId, http, clock } = this.#options;
    if (clock.now() < this.#pausedUntil) return;
    try {
      const answer = await http.post({
        url: `${baseUrl}/api/sessions?user_id=${encodeURIComponent(userId)}`,
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify({
          agent_ref: agentId(delivery),
          name: `hook-${delivery.firing.eventType}-${Math.floor(clock.wall() / 1_000)}`,
          // The agent looks its session up by the message's context: with the same id it finds the named one.
          id: delivery.contextId,
        }),
        timeoutMs: SESSION_TIMEOUT_MS,
        signal,
      });
      if (answer.status === 404 || answer.status === 405) this.#pausedUntil = clock.now() + ABSENT_PAUSE_MS;
    } catch {
      if (!signal.aborted) this.#pausedUntil = clock.now() + FAILED_PAUSE_MS;
    }
  }
}
