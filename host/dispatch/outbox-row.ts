/** Deliveries as rows: what is written once, and what moves with each step. */

import { messageOf } from '../../ipc/errors.ts';
import type { Firing } from '../match/verdict.ts';
import type { CallTally, Delivery, DeliveryState } from './delivery.ts';
import { OutboxFileError } from './storage-fault.ts';

export interface DeliveryRow {
  readonly body: string;
  readonly state: string;
}

/** Where the event stood in its frame means nothing in a later life. */
export function bodyOf({ messageId, contextId, eventId, acceptedAt, redrivenAt, firing }: Delivery): string {
  const kept: Firing = { ...firing, index: 0, repeats: [] };
  return JSON.stringify({ messageId, contextId, eventId, acceptedAt, redrivenAt, firing: kept });
}

export function stateOf({ state, calls }: Delivery): string {
  return JSON.stringify({ ...state, calls });
}

export function parseRow({ body, state }: DeliveryRow): Delivery {
  try {
    const { calls, ...rest } = JSON.parse(state) as DeliveryState & { readonly calls?: CallTally };
    const delivery = { ...(JSON.parse(body) as Omit<Delivery, 'state' | 'calls'>), state: rest };
    return calls === undefined ? delivery : { ...delivery, calls };
  } catch (error) {
    throw new OutboxFileError('damaged', `a firing in it cannot be read: ${messageOf(error)}`);
  }
}
