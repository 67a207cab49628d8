/** One firing on its way to its agent: the states, as data. Only `dispatch.ts` moves a delivery from one to the next. */

import type { Firing } from '../match/verdict.ts';

export type DeliveryState =
  | { readonly kind: 'queued'; readonly since: number }
  | { readonly kind: 'calling'; readonly attempt: number; readonly since: number }
  | {
      readonly kind: 'waiting';
      readonly attempt: number;
      readonly nextAttemptAt: number;
      /** How long that was away when it was decided; absent in what an older khook wrote. */
      readonly waitMs?: number;
      readonly lastError: string;
    }
  | { readonly kind: 'following'; readonly attempt: number; readonly taskId: string; readonly since: number }
  | { readonly kind: 'delivered'; readonly taskId: string; readonly at: number }
  | { readonly kind: 'dead'; readonly reason: string; readonly code: string; readonly at: number };

/** The calls that were made for a delivery in all its lives, also those that made no connection. Wall milliseconds. */
export interface CallTally {
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface Delivery {
  /** UUID; the messageId of every attempt. Never changes. */
  readonly messageId: string;
  /** UUID chosen by khook: the agent's context. */
  readonly contextId: string;
  readonly eventId: string;
  /** Wall milliseconds: when khook took it over. */
  readonly acceptedAt: number;
  /** Wall milliseconds: when a person sent it out again, as a dead letter that it was. */
  readonly redrivenAt?: number;
  readonly firing: Firing;
  readonly state: DeliveryState;
  /** Absent: none was made yet. */
  readonly calls?: CallTally;
}

/** Wall milliseconds from which its age counts, and the dedup window of its key. */
export function firedAt({ acceptedAt, redrivenAt }: Delivery): number {
  return redrivenAt ?? acceptedAt;
}

/** What one takes up, about: its prompt, and a kilobyte for all else. */
export function bytesOf({ firing }: Delivery): number {
  return Buffer.byteLength(firing.prompt) + 1_024;
}
