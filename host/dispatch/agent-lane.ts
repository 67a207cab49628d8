/**
 * One agent's lane: how many deliveries it works on at once (bulkhead), how long one call may take (timeout), and when it is
 * left alone (circuit breaker). cockatiel counts and samples; time belongs to the Clock, because cockatiel reads the wall clock,
 * and one that steps back would hold a circuit open for as long.
 */

import {
  type BulkheadPolicy,
  bulkhead,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isTaskCancelledError,
  type TimeoutPolicy,
  TimeoutStrategy,
  timeout,
} from 'cockatiel';
import type { Clock } from '../../ipc/clock.ts';
import { HostError } from '../base/errors.ts';
import { failureOf } from './agent-error.ts';
import { isRetryable } from './delivery-policy.ts';
import type { DispatchSettings } from './settings.ts';

/** How soon to ask again while another call tries a half-open circuit. */
const PROBE_POLL_MS = 250;

export type LaneSettings = Pick<DispatchSettings, 'concurrencyPerAgent' | 'callTimeoutMs' | 'circuit'>;

export interface LaneOptions {
  /** `namespace/name`. */
  readonly agent: string;
  readonly settings: LaneSettings;
  readonly clock: Clock;
  readonly onOpened: () => void;
  readonly onClosed: () => void;
}

/** Who may call: everybody, nobody until then, or the one that tries. The breaker counts failures; when to try is decided here. */
type Gate =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly until: number }
  | { readonly kind: 'probing' };

export class AgentLane {
  readonly agent: string;
  readonly #clock: Clock;
  readonly #pauseMs: number;
  readonly #bulkhead: BulkheadPolicy;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #timeoutMs: number;
  readonly #timeout: TimeoutPolicy;
  #gate: Gate = { kind: 'closed' };
  #users = 0;
  #idleSince: number;

  constructor({ agent, settings, clock, onOpened, onClosed }: LaneOptions) {
    this.agent = agent;
    this.#clock = clock;
    this.#pauseMs = settings.circuit.pauseMs;
    this.#idleSince = clock.now();
    // Whoever waits for a slot stands in the outbox, which is bounded: none is ever refused here.
    this.#bulkhead = bulkhead(settings.concurrencyPerAgent, Number.MAX_SAFE_INTEGER);
    this.#timeoutMs = settings.callTimeoutMs;
    this.#timeout = timeoutPolicy(settings.callTimeoutMs);
    this.#breaker = circuitBreaker(
      handleWhen((error) => isRetryable(failureOf(error))),
      { halfOpenAfter: Number.NEGATIVE_INFINITY, breaker: new ConsecutiveBreaker(settings.circuit.failures) },
    );
    this.#breaker.onBreak(() => {
      const wasClosed = this.#gate.kind === 'closed';
      this.#gate = { kind: 'open', until: clock.now() + this.#pauseMs };
      if (wasClosed) onOpened();
    });
    this.#breaker.onReset(() => {
      this.#gate = { kind: 'closed' };
      onClosed();
    });
  }

  get isOpen(): boolean {
    return this.#gate.kind !== 'closed';
  }

  /** Milliseconds for which nobody has used it; 0 while somebody does. */
  get idleMs(): number {
    return this.#users > 0 ? 0 : this.#clock.now() - this.#idleSince;
  }

  /** Runs `work` when a slot is free, in the order of asking. Rejects with what `work` rejects with. */
  async occupy(work: () => Promise<void>): Promise<void> {
    this.#users += 1;
    try {
      await this.#bulkhead.execute(work);
    } finally {
      this.#users -= 1;
      this.#idleSince = this.#clock.now();
    }
  }

  /**
   * One call through breaker and timeout. Rejects with HOST_ERR_AGENT_CIRCUIT_OPEN (details.retryAfterMs) without calling,
   * HOST_ERR_AGENT_TIMEOUT, HOST_ERR_STOPPING when the signal aborts, or with what `call` rejects with. `timeoutMs` shortens the
   * lane's own timeout.
   */
  async call<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal, timeoutMs?: number): Promise<T> {
    const isProbe = this.#enterGate();
    try {
      return await this.#breaker.execute(() => this.#timed(call, signal, timeoutMs));
    } finally {
      // A probe that neither closed nor opened the circuit (it was aborted) must not keep the gate shut.
      if (isProbe && this.#gate.kind === 'probing') this.#gate = { kind: 'open', until: this.#clock.now() };
    }
  }

  /** Throws while the circuit is open; lets exactly one call through to try it. */
  #enterGate(): boolean {
    const gate = this.#gate;
    if (gate.kind === 'closed') return false;
    const remainingMs = gate.kind === 'open' ? gate.until - this.#clock.now() : PROBE_POLL_MS;
    if (remainingMs <= 0) {
      this.#gate = { kind: 'probing' };
      return true;
    }
    const retryAfterMs = Math.ceil(remainingMs);
    throw new HostError(
      'HOST_ERR_AGENT_CIRCUIT_OPEN',
      `Agent ${this.agent} failed repeatedly; calls to it pause for ${retryAfterMs} ms. Its firings wait in the outbox. Check that the agent runs.`,
      { details: { retryAfterMs } },
    );
  }

  async #timed<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal, timeoutMs?: number): Promise<T> {
    const isShorter = timeoutMs !== undefined && timeoutMs < this.#timeoutMs;
    try {
      return await (isShorter ? timeoutPolicy(timeoutMs) : this.#timeout).execute(
        (context) => call(context.signal),
        signal,
      );
    } catch (error) {
      if (signal.aborted)
        throw new HostError('HOST_ERR_STOPPING', `The call to agent ${this.agent} was ended: khook stops.`);
      if (!isTaskCancelledError(error)) throw error;
      throw new HostError(
        'HOST_ERR_AGENT_TIMEOUT',
        `Agent ${this.agent} did not take the message in time. Check the agent, or raise ${isShorter ? "the Hook's spec.timeout" : 'KAGENT_API_TIMEOUT'}.`,
        { cause: error },
      );
    }
  }
}

function timeoutPolicy(ms: number): TimeoutPolicy {
  return timeout(ms, TimeoutStrategy.Aggressive).dangerouslyUnref();
}
