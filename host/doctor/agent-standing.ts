/** How each agent has taken what it was sent, kept from what dispatch says. Bounded by the agents that were called. */

import type { Subscribable } from '../base/emitter.ts';
import type { DispatchEvents } from '../dispatch/events.ts';

export interface AgentStanding {
  /** `namespace/name`. */
  readonly agent: string;
  /** Calls that failed since the last one that did not. */
  readonly failures: number;
  /** Of the last that failed; null: none since the last good one. */
  readonly lastFailure: { readonly code: string; readonly message: string; readonly at: number } | null;
  readonly lastAcceptedAt: number | null;
  /** How long the last good call took. */
  readonly lastCallMs: number | null;
  /** Calls that have no answer yet: when the oldest began. */
  readonly waitingSince: number | null;
  /** It is left alone for a while. */
  readonly isOpen: boolean;
}

const MAX_AGENTS = 1_000;
const NEW: Omit<AgentStanding, 'agent'> = {
  failures: 0,
  lastFailure: null,
  lastAcceptedAt: null,
  lastCallMs: null,
  waitingSince: null,
  isOpen: false,
};

export class AgentStandings {
  readonly #standings = new Map<string, AgentStanding>();
  /** messageId → agent and begin, of calls that have no answer yet. */
  readonly #calls = new Map<string, { readonly agent: string; readonly at: number }>();

  constructor({ dispatch, wall }: { readonly dispatch: Subscribable<DispatchEvents>; readonly wall: () => number }) {
    dispatch.on('call:started', ({ delivery, agent }) => this.#calls.set(delivery.messageId, { agent, at: wall() }));
    dispatch.on('call:accepted', ({ delivery, agent, durationMs }) => {
      this.#calls.delete(delivery.messageId);
      this.#set(agent, { failures: 0, lastFailure: null, lastAcceptedAt: wall(), lastCallMs: durationMs });
    });
    dispatch.on('call:error', ({ delivery, agent, code, message }) => {
      this.#calls.delete(delivery.messageId);
      // Nobody was called.
      if (code === 'HOST_ERR_AGENT_CIRCUIT_OPEN' || code === 'HOST_ERR_STOPPING') return;
      const failures = (this.#standings.get(agent)?.failures ?? 0) + 1;
      this.#set(agent, { failures, lastFailure: { code, message, at: wall() } });
    });
    dispatch.on('firing:settled', ({ delivery }) => this.#calls.delete(delivery.messageId));
    dispatch.on('circuit:opened', ({ agent }) => this.#set(agent, { isOpen: true }));
    dispatch.on('circuit:closed', ({ agent }) => this.#set(agent, { isOpen: false }));
  }

  get all(): readonly AgentStanding[] {
    const waiting = new Map<string, number>();
    for (const { agent, at } of this.#calls.values()) waiting.set(agent, Math.min(waiting.get(agent) ?? at, at));
    const names = new Set([...this.#standings.keys(), ...waiting.keys()]);
    return [...names].map((agent) => ({
      ...(this.#standings.get(agent) ?? { ...NEW, agent }),
      waitingSince: waiting.get(agent) ?? null,
    }));
  }

  #set(agent: string, change: Partial<AgentStanding>): void {
    const before = this.#standings.get(agent) ?? { ...NEW, agent };
    this.#standings.delete(agent);
    this.#standings.set(agent, { ...before, ...change });
    const oldest = this.#standings.keys().next();
    if (this.#standings.size > MAX_AGENTS && oldest.done !== true) this.#standings.delete(oldest.value);
  }
}
