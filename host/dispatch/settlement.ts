/** What is said of a delivery that has ended, as data. */

import type { Delivery } from './delivery.ts';
import type { DispatchEvents } from './events.ts';

export type Settlement = DispatchEvents['firing:settled'];

/** Null: it has not ended. */
export function settlementOf(delivery: Delivery): Settlement | null {
  const { state } = delivery;
  if (state.kind === 'dead') return { delivery, outcome: 'dead_lettered', detail: `${state.code}: ${state.reason}` };
  if (state.kind !== 'delivered') return null;
  const detail = state.taskId === '' ? 'the agent answered at once' : `task ${state.taskId} completed`;
  return { delivery, outcome: 'delivered', detail };
}

export function droppedAtStop(delivery: Delivery): Settlement {
  const detail = 'khook stopped before it was delivered, and its outbox does not outlive the process';
  return { delivery, outcome: 'dropped', detail };
}

/** `standing`: in the outbox already. */
export function overflowed(delivery: Delivery, standing: number, at: number): Delivery {
  const reason = `outbox_full: ${standing} firings wait for their agents already. Check that the agents work.`;
  return { ...delivery, state: { kind: 'dead', reason, code: 'HOST_ERR_OUTBOX_FULL', at } };
}
