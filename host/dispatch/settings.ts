/** What can be set about dispatch. Durations in milliseconds. */

import type { RetryPolicy } from './delivery-policy.ts';

export interface OutboxRoomSettings {
  /** Undelivered firings, and what they take up, about. */
  readonly maxFirings: number;
  readonly maxBytes: number;
  /** What becomes of more: it is dead-lettered at once, or it waits, and its source with it. */
  readonly whenFull: 'dead_letter' | 'block';
}

export interface DispatchSettings {
  /** One firing per dedup key and window. */
  readonly dedupWindowMs: number;
  readonly maxDedupKeys: number;
  readonly retry: RetryPolicy;
  /** Deliveries that one agent works on at the same time. */
  readonly concurrencyPerAgent: number;
  /** Bounds one whole call: the session, the message and a fallback to the older protocol. */
  readonly callTimeoutMs: number;
  /** How long a task is followed. */
  readonly taskTimeoutMs: number;
  /** How long a firing may wait for an agent to take it, in all its lives. */
  readonly maxAgeMs: number;
  readonly circuit: {
    /** Failed calls in a row after which calls pause. More than `retry.attempts`, or one delivery could open it alone. */
    readonly failures: number;
    /** Until one call is let through to try. */
    readonly pauseMs: number;
  };
  readonly room: OutboxRoomSettings;
  /** Agents remembered (circuit, slots); an idle one is forgotten first. */
  readonly maxLanes: number;
  readonly laneIdleMs: number;
}

export const DISPATCH_DEFAULTS: DispatchSettings = {
  dedupWindowMs: 600_000,
  maxDedupKeys: 50_000,
  retry: {
    attempts: 3,
    backoff: { initialMs: 1_000, maxMs: 30_000, factor: 4 },
    maxRetryAfterMs: 300_000,
  },
  concurrencyPerAgent: 4,
  callTimeoutMs: 250_000,
  taskTimeoutMs: 900_000,
  maxAgeMs: 604_800_000,
  circuit: { failures: 5, pauseMs: 30_000 },
  room: { maxFirings: 10_000, maxBytes: 256 * 1024 * 1024, whenFull: 'dead_letter' },
  maxLanes: 1_000,
  laneIdleMs: 600_000,
};
