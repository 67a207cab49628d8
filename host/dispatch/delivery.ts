/** One firing on its way to its agent: the states, as data. Only `dispatch.ts` moves a delivery from one to the next. */

import type { Firing } from '../match/verdict.ts';

export type DeliveryState =
  | { readonly kind: 'queued'; readonly since: number }
  | { readonly kind: 'calling'; readonly attempt: number; readonly since: number }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly nextAttemptAt: number; readonly lastError: string }
  | { readonly kind: 'following'; readonly attempt: number; readonly taskId: string; readonly since: number }
  | { readonly kind: 'delivered'; readonly taskId: string; readonly at: number }
  | { readonly kind: 'dead'; readonly reason: string; readonly code: string; readonly at: number };

export interface Delivery {
  /** UUID; the messageId of every attempt. Never changes. */
  readonly messageId: string;
  /** UUID chosen by khook: the agent's context. */
  readonly contextId: string;
  readonly eventId: string;
  /** Wall milliseconds: when khook took it over. */
  readonly acceptedAt: number;
  readonly firing: Firing;
  readonly state: DeliveryState;
}
