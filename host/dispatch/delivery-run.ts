/**
 * One delivery on its way: takes a slot of its agent's lane, calls, follows, waits and calls again, until it is settled or
 * abandoned. What comes next is decided by `nextState`; this file only waits, sends and records.
 *
 * queued ─▶ calling ─▶ following ─▶ delivered          waiting gives the slot back, except while the circuit is open:
 *              │  ▲         └─────▶ dead               then it keeps it, so that everybody behind waits in the lane
 *              ▼  │                                    and not one by one through the outbox.
 *            waiting ─▶ dead
 *
 * abandon() ends it wherever it is: it stays in the outbox in its last recorded state.
 */

import { type Clock, delay } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import type { Emitter } from '../base/emitter.ts';
import { type AgentClient, agentId } from './agent-client.ts';
import { failureOf } from './agent-error.ts';
import type { AgentLane } from './agent-lane.ts';
import { type Delivery, type DeliveryState, firedAt } from './delivery.ts';
import { attemptsMade, type CallFailure, type CallResult, nextState, tooOld } from './delivery-policy.ts';
import type { DispatchEvents } from './events.ts';
import type { Outbox } from './outbox.ts';
import type { DispatchSettings } from './settings.ts';

export interface RunContext {
  readonly client: AgentClient;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: DispatchSettings;
  readonly events: Emitter<DispatchEvents>;
  /** The lane of an agent; asked for whenever a slot is needed. */
  readonly lane: (agent: string) => AgentLane;
  /** See DispatchOptions. */
  readonly recorded?: ((hook: string) => Promise<void>) | undefined;
  /** Whether something may still be waited for that takes `ms`. */
  readonly mayWait: (ms: number) => boolean;
}

export class DeliveryRun {
  readonly #context: RunContext;
  readonly #agent: string;
  readonly #abandoned = new AbortController();
  #delivery: Delivery;
  /** Monotonic: when the running call began, or a task of an earlier life was taken up. */
  #callStartedAt: number | null = null;
  /** Monotonic: when no agent need take it any more. Only its age in earlier lives is measured by the wall clock. */
  readonly #expiresAt: number;
  /** Monotonic: when its next attempt is due, for one that waits. */
  #dueAt: number;

  constructor(delivery: Delivery, context: RunContext) {
    const { clock, settings } = context;
    this.#delivery = delivery;
    this.#context = context;
    this.#agent = agentId(delivery);
    this.#expiresAt = clock.now() + settings.maxAgeMs - Math.max(0, clock.wall() - firedAt(delivery));
    this.#dueAt = clock.now() + leftOfWait(delivery.state, context);
  }

  get delivery(): Delivery {
    return this.#delivery;
  }

  /** Never rejects. Resolves with the settled delivery, or with null when it was abandoned. */
  async run(): Promise<Delivery | null> {
    if (this.#delivery.state.kind === 'queued') await this.#untilRecorded();
    while (!this.#isAbandoned && !this.#isSettled) {
      if (!(await this.#untilDue())) break;
      const lane = this.#context.lane(this.#agent);
      await lane.occupy(() => this.#work(lane)).catch((error: unknown) => this.#failUnforeseen(error));
    }
    return this.#isSettled ? this.#delivery : null;
  }

  abandon(): void {
    this.#abandoned.abort();
  }

  /** Milliseconds until its next attempt is due; 0 when it does not wait for one. */
  get dueInMs(): number {
    if (this.#delivery.state.kind !== 'waiting') return 0;
    return Math.min(Math.max(0, this.#dueAt - this.#context.clock.now()), this.#leftMs);
  }

  get #leftMs(): number {
    return Math.max(0, this.#expiresAt - this.#context.clock.now());
  }

  get #isAbandoned(): boolean {
    return this.#abandoned.signal.aborted;
  }

  get #isSettled(): boolean {
    return this.#delivery.state.kind === 'delivered' || this.#delivery.state.kind === 'dead';
  }

  /** Holds a slot while it runs. */
  async #work(lane: AgentLane): Promise<void> {
    for (;;) {
      if (this.#isAbandoned) return;
      if (this.#delivery.state.kind !== 'following') {
        if (this.#leftMs === 0) {
          await this.#transition(tooOld(this.#delivery.state, this.#context.clock.wall()));
          return;
        }
        // Waited out here, and not inside the call, whose time runs.
        if (this.#context.outbox.fault !== null) await this.#transition(this.#delivery.state);
        if (this.#isAbandoned) return;
        const result = await this.#call(lane);
        if (this.#isAbandoned && result.kind === 'error') return;
        if (isCircuitOpen(result)) {
          await this.#transition(this.#next(result));
          if (await this.#untilDue()) continue;
          return;
        }
        await this.#conclude(result);
      }
      if (this.#delivery.state.kind === 'following') await this.#follow(this.#delivery.state);
      return;
    }
  }

  async #call(lane: AgentLane): Promise<CallResult> {
    const { client, clock, events } = this.#context;
    try {
      const answer = await lane.call(
        async (signal) => {
          const attempt = attemptsMade(this.#delivery.state) + 1;
          this.#tally();
          await this.#transition({ kind: 'calling', attempt, since: clock.wall() });
          signal.throwIfAborted();
          this.#callStartedAt = clock.now();
          events.emit('call:started', { delivery: this.#delivery, agent: this.#agent, attempt });
          return await client.send(this.#delivery, signal);
        },
        this.#abandoned.signal,
        this.#delivery.firing.timeoutMs,
      );
      const taskId = answer.kind === 'task' ? answer.taskId : '';
      events.emit('call:accepted', { ...this.#about(), taskId });
      return answer;
    } catch (error) {
      return failureOf(error);
    }
  }

  async #follow({ taskId, since }: Extract<DeliveryState, { kind: 'following' }>): Promise<void> {
    const { client, clock, settings } = this.#context;
    // Only a task of an earlier life has been followed before; there is no other measure of that than the wall clock.
    const followedMs = this.#callStartedAt === null ? Math.max(0, clock.wall() - since) : 0;
    this.#callStartedAt ??= clock.now();
    const taskTimeoutMs = this.#delivery.firing.timeoutMs ?? settings.taskTimeoutMs;
    const timeoutMs = Math.max(0, taskTimeoutMs - followedMs);
    const signal = this.#abandoned.signal;
    try {
      const end = await client.follow(this.#delivery, taskId, { timeoutMs, signal });
      await this.#conclude({ kind: 'task', taskId, ...end });
    } catch (error) {
      if (!this.#isAbandoned) await this.#conclude(failureOf(error));
    }
  }

  /** Records what came of a call or of a task, and says it. */
  async #conclude(result: CallResult): Promise<void> {
    const { events } = this.#context;
    await this.#transition(this.#next(result));
    const { state } = this.#delivery;
    if (state.kind === 'delivered' && state.taskId !== '')
      events.emit('task:completed', { ...this.#about(), taskId: state.taskId });
    if (state.kind === 'waiting') {
      const retryInMs = state.waitMs ?? 0;
      const code = result.kind === 'error' ? result.code : '';
      events.emit('call:error', { ...this.#about(), code, message: state.lastError, retryInMs });
    }
    if (state.kind === 'dead')
      events.emit('call:error', { ...this.#about(), code: state.code, message: state.reason, retryInMs: null });
  }

  #next(result: CallResult): DeliveryState {
    const { random, settings, clock } = this.#context;
    return nextState(this.#delivery.state, result, { now: clock.wall(), random: random(), retry: settings.retry });
  }

  #tally(): void {
    const at = this.#context.clock.wall();
    const { calls } = this.#delivery;
    this.#delivery = {
      ...this.#delivery,
      calls: { count: (calls?.count ?? 0) + 1, firstAt: calls?.firstAt ?? at, lastAt: at },
    };
  }

  #about(): { delivery: Delivery; agent: string; durationMs: number } {
    const now = this.#context.clock.now();
    const durationMs = now - (this.#callStartedAt ?? now);
    return { delivery: this.#delivery, agent: this.#agent, durationMs };
  }

  /** Whoever takes over would find it from now on, and send it under the same messageId. */
  async #untilRecorded(): Promise<void> {
    const { recorded } = this.#context;
    if (recorded === undefined || this.#isAbandoned) return;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#abandoned.signal.addEventListener('abort', () => end(), { once: true });
    await Promise.race([recorded(this.#delivery.firing.hook), ended]);
  }

  /** False when it was abandoned instead. */
  async #untilDue(): Promise<boolean> {
    const ms = this.dueInMs;
    if (ms === 0) return !this.#isAbandoned;
    if (!this.#context.mayWait(ms)) this.abandon();
    try {
      await delay(this.#context.clock, ms, this.#abandoned.signal);
      return true;
    } catch {
      return false;
    }
  }

  /** The one place where the state changes. A settled state is recorded by dispatch, which also tells. */
  async #transition(state: DeliveryState): Promise<void> {
    this.#delivery = { ...this.#delivery, state };
    if (state.kind === 'waiting') this.#dueAt = this.#context.clock.now() + leftOfWait(state, this.#context);
    if (this.#isSettled) return;
    const { outbox, events } = this.#context;
    try {
      await outbox.update(this.#delivery);
    } catch (error) {
      // khook stops while its storage is at fault. What could not be recorded is not begun.
      if (codeOf(error) === 'HOST_ERR_STOPPING') this.abandon();
      events.emit('outbox:error', { messageId: this.#delivery.messageId, message: messageOf(error) });
    }
  }

  /** A bug must not leave a delivery that nobody works on. */
  async #failUnforeseen(error: unknown): Promise<void> {
    if (this.#isAbandoned || this.#isSettled) return;
    await this.#conclude({ ...failureOf(error), status: null, rpcCode: null });
  }
}

/** By the wall clock, which is all that a record of an earlier life has: never longer than it was to be, whatever time it names. */
function leftOfWait(state: DeliveryState, { clock, settings }: RunContext): number {
  if (state.kind !== 'waiting') return 0;
  const longestMs = Math.max(settings.retry.maxRetryAfterMs, settings.retry.backoff.maxMs);
  return Math.min(Math.max(0, state.nextAttemptAt - clock.wall()), state.waitMs ?? longestMs);
}

function isCircuitOpen(result: CallResult): result is CallFailure {
  return result.kind === 'error' && result.code === 'HOST_ERR_AGENT_CIRCUIT_OPEN';
}
