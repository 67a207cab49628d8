/** What becomes of a delivery, as a pure function of its state and of what the agent said. Nothing here waits, sends or reads a clock. */

import { type BackoffPolicy, backoffMs } from '../base/backoff.ts';
import type { HostErrorCode } from '../base/errors.ts';
import type { DeliveryState } from './delivery.ts';

/** A2A's task states, in the spelling of 0.3. */
export type AgentTaskState =
  | 'unknown'
  | 'submitted'
  | 'working'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'rejected'
  | 'input-required'
  | 'auth-required';

export type CallResult =
  /** The agent answered with a message instead of a task: it is done. */
  | { readonly kind: 'message' }
  | { readonly kind: 'task'; readonly taskId: string; readonly state: AgentTaskState; readonly text: string }
  | CallFailure;

export interface CallFailure {
  readonly kind: 'error';
  /** One of HOST_ERR_AGENT_*. */
  readonly code: string;
  readonly message: string;
  /** HTTP status, where there was an answer. */
  readonly status: number | null;
  /** Code of the JSON-RPC error, where there was one. */
  readonly rpcCode: number | null;
  /** How long the agent asked to be left alone. */
  readonly retryAfterMs: number | null;
  /** No connection was made: the agent cannot have taken the message, and it counts as no attempt. */
  readonly isUnsent?: boolean;
}

export interface RetryPolicy {
  /** Calls of one delivery that reached its agent, the first included. An agent that is down is called as long as the firing may wait. */
  readonly attempts: number;
  readonly backoff: BackoffPolicy;
  /** No agent is obeyed longer than this. */
  readonly maxRetryAfterMs: number;
}

export interface PolicyInput {
  /** Wall milliseconds: what it yields is a record that outlives the process. */
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
  readonly retry: RetryPolicy;
}

const UNREACHABLE: HostErrorCode = 'HOST_ERR_AGENT_UNREACHABLE';
const REFUSED: HostErrorCode = 'HOST_ERR_AGENT_REFUSED';
const TASK: HostErrorCode = 'HOST_ERR_AGENT_TASK';
const TIMEOUT: HostErrorCode = 'HOST_ERR_AGENT_TIMEOUT';
const CIRCUIT_OPEN: HostErrorCode = 'HOST_ERR_AGENT_CIRCUIT_OPEN';
const TOO_OLD: HostErrorCode = 'HOST_ERR_OUTBOX_AGE';

/** JSON-RPC's own "internal error" and "server error": what HTTP would call a 500. */
const RPC_SERVER_ERRORS: ReadonlySet<number> = new Set([-32_603, -32_000]);

/** Task states in which the agent has stopped working, for good or until a person acts. */
export function isSettledTask(state: AgentTaskState): boolean {
  return state !== 'unknown' && state !== 'submitted' && state !== 'working';
}

/** The agent may well take the same message later. */
export function isRetryable(failure: Pick<CallFailure, 'code' | 'status' | 'rpcCode'>): boolean {
  if (failure.code === UNREACHABLE || failure.code === TIMEOUT || failure.code === CIRCUIT_OPEN) return true;
  if (failure.code !== REFUSED) return false;
  if (failure.status !== null && (failure.status === 408 || failure.status === 429 || failure.status >= 500))
    return true;
  return failure.rpcCode !== null && RPC_SERVER_ERRORS.has(failure.rpcCode);
}

/** Calls that were made so far and count, the running one included. */
export function attemptsMade(state: DeliveryState): number {
  return 'attempt' in state ? state.attempt : 0;
}

export function nextState(state: DeliveryState, result: CallResult, input: PolicyInput): DeliveryState {
  if (state.kind === 'delivered' || state.kind === 'dead') return state;
  switch (result.kind) {
    case 'message':
      return { kind: 'delivered', taskId: '', at: input.now };
    case 'task':
      return afterTask(state, result, input.now);
    case 'error':
      return afterFailure(state, result, input);
  }
}

/** What becomes of one that waited as long as it may and that no agent has taken. */
export function tooOld(state: DeliveryState, now: number): DeliveryState {
  const trouble = state.kind === 'waiting' ? ` The last trouble was: ${state.lastError}` : '';
  const reason = `the agent did not take it within settings.delivery.maxAge.${trouble} Check that the agent works.`;
  return { kind: 'dead', reason, code: TOO_OLD, at: now };
}

function afterTask(
  state: DeliveryState,
  { taskId, state: taskState, text }: Extract<CallResult, { kind: 'task' }>,
  now: number,
): DeliveryState {
  if (taskState === 'completed') return { kind: 'delivered', taskId, at: now };
  if (!isSettledTask(taskState)) {
    const since = state.kind === 'following' ? state.since : now;
    return { kind: 'following', attempt: attemptsMade(state), taskId, since };
  }
  return { kind: 'dead', reason: taskReason(taskId, taskState, text), code: TASK, at: now };
}

function taskReason(taskId: string, state: AgentTaskState, text: string): string {
  const said = text === '' ? '' : ` The agent says: ${text}`;
  if (state === 'input-required')
    return `task ${taskId} ended as input-required: it waits for a person. Answer it where the agent is used, or put what it asks for into the Hook's prompt.${said}`;
  if (state === 'auth-required')
    return `task ${taskId} ended as auth-required: it waits for a person to sign in. Give the agent the credentials it asks for.${said}`;
  return `task ${taskId} ended as ${state}. Look at the agent's own log for the cause.${said}`;
}

function afterFailure(state: DeliveryState, failure: CallFailure, { now, random, retry }: PolicyInput): DeliveryState {
  const dead: DeliveryState = { kind: 'dead', reason: failure.message, code: failure.code, at: now };
  // The agent has taken the message: sending it once more could make it work twice.
  if (state.kind === 'following') return dead;
  const attempt = failure.isUnsent === true ? Math.max(0, attemptsMade(state) - 1) : attemptsMade(state);
  const askedMs = Math.min(failure.retryAfterMs ?? 0, retry.maxRetryAfterMs);
  if (failure.code === CIRCUIT_OPEN)
    return { kind: 'waiting', attempt, nextAttemptAt: now + askedMs, waitMs: askedMs, lastError: failure.message };
  if (!isRetryable(failure)) return dead;
  if (attempt >= retry.attempts)
    return { ...dead, reason: `${failure.message} This was attempt ${attempt} of ${retry.attempts}.` };
  const delayMs = Math.max(askedMs, backoffMs(retry.backoff, Math.max(1, attempt), random));
  return { kind: 'waiting', attempt, nextAttemptAt: now + delayMs, waitMs: delayMs, lastError: failure.message };
}
