/** What became of one Hook's interest in one event: what a recording keeps of it. Plain data, replaced and never changed. */

import type { DropReason, Outcome } from '../../ipc/event.ts';

/** Which firing it is. Events of a frame that repeat each other share one of these. */
export interface FiringSubject {
  /** `namespace/name` of the Hook. */
  readonly hook: string;
  /** Position in the Hook's eventConfigurations. */
  readonly configuration: number;
  /** `namespace/name`. */
  readonly agent: string;
  readonly dedupKey: string;
}

/** What dispatch made of it. */
export type FiringDecision =
  | { readonly kind: 'accepted'; readonly messageId: string }
  /** Of an earlier firing, which silences the key `until` then (Unix milliseconds). */
  | { readonly kind: 'duplicate'; readonly until: number }
  /** Of an event of the same frame. */
  | { readonly kind: 'repeat'; readonly of: string }
  | { readonly kind: 'dropped'; readonly reason: DropReason };

export interface FiringBudget {
  readonly callsPerHour: number;
  /** Calls of the hour that was running. */
  readonly calls: number;
  /** Its end (Unix milliseconds); null: none was running. */
  readonly until: number | null;
}

export interface FiringFate {
  readonly subject: FiringSubject;
  /** null: not decided yet. */
  readonly decision: FiringDecision | null;
  /** How much of its Hook's budget was used when it came; null: the Hook has none. */
  readonly budget: FiringBudget | null;
  /** Over the budget: it waits for the digest at the end of the hour. */
  readonly isHeld: boolean;
  /** The message that it went out with, when that is the digest of several. */
  readonly digest: string | null;
  /** null: its delivery has not ended. By the monotonic clock: the wall clock may be set while an agent works. */
  readonly end: { readonly outcome: Outcome; readonly atMonotonic: number } | null;
}

/** Kept of one event; it may fire for more Hooks than that. */
export const MAX_FATES = 64;

export function undecided(subject: FiringSubject): FiringFate {
  return { subject, decision: null, budget: null, isHeld: false, digest: null, end: null };
}
