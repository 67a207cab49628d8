/** Writes what dispatch does with a firing into the trail of its event, and ends the event in the ledger when dispatch is done with it. */

import type { Clock } from '../../ipc/clock.ts';
import type { Subscribable } from '../base/emitter.ts';
import type { FiringFate } from '../ledger/firing-fate.ts';
import type { Ledger, RestoredEvent } from '../ledger/ledger.ts';
import { agentId } from './agent-client.ts';
import type { Delivery } from './delivery.ts';
import type { DispatchEvents } from './events.ts';

export interface TrailNotesOptions {
  readonly dispatch: Subscribable<DispatchEvents>;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

export function recordDeliveries({ dispatch, ledger, clock }: TrailNotesOptions): void {
  const note = (eventId: string, step: string, detail: string): void =>
    ledger.note(eventId, { at: clock.wall(), step, detail });
  const amend = ({ eventId, firing }: Delivery, change: Partial<FiringFate>): void =>
    ledger.amendFate(eventId, firing, change);
  dispatch.on('firing:restored', (delivery) => {
    ledger.restore(eventOf(delivery));
    note(delivery.eventId, 'restored', `from the outbox, ${aim(delivery)}`);
  });
  dispatch.on('firing:redriven', (delivery) => {
    ledger.reopen(eventOf(delivery));
    note(delivery.eventId, 'redriven', `out of the dead letters, ${aim(delivery)}`);
  });
  dispatch.on('firing:accepted', (delivery) => {
    note(delivery.eventId, 'accepted', aim(delivery));
    amend(delivery, { decision: { kind: 'accepted', messageId: delivery.messageId } });
  });
  dispatch.on('firing:held', ({ delivery, callsPerHour, forMs }) => {
    const budget = `the budget of Hook ${delivery.firing.hook}, ${callsPerHour} calls an hour, is used up`;
    note(delivery.eventId, 'held', `${budget}; goes out with a digest in ${Math.ceil(forMs / 60_000)} min`);
    amend(delivery, { isHeld: true });
  });
  dispatch.on('firing:budgeted', ({ delivery, callsPerHour, calls, forMs }) => {
    const until = forMs === null ? null : clock.wall() + forMs;
    amend(delivery, { budget: { callsPerHour, calls, until } });
  });
  dispatch.on('firing:digested', ({ delivery, messageId, firings }) => {
    note(delivery.eventId, 'digested', `with the digest of ${firings} firings, message ${messageId}`);
    amend(delivery, { digest: messageId });
  });
  dispatch.on('call:started', ({ delivery, agent, attempt }) => {
    note(delivery.eventId, 'called', `agent ${agent}, attempt ${attempt}`);
  });
  dispatch.on('call:accepted', ({ delivery, agent, taskId }) => {
    note(
      delivery.eventId,
      'sent',
      taskId === '' ? `agent ${agent} answered` : `agent ${agent} works on task ${taskId}`,
    );
  });
  dispatch.on('call:error', ({ delivery, message, retryInMs }) => {
    const next = retryInMs === null ? 'no further attempt' : `next attempt in ${(retryInMs / 1000).toFixed(1)} s`;
    note(delivery.eventId, 'failed', `${message}; ${next}`);
  });
  dispatch.on('task:completed', ({ delivery, taskId, durationMs }) => {
    note(delivery.eventId, 'completed', `task ${taskId} in ${(durationMs / 1000).toFixed(1)} s`);
  });
  dispatch.on('firing:settled', ({ delivery, outcome, detail }) => {
    if (outcome !== 'delivered') note(delivery.eventId, outcome, detail);
    amend(delivery, { end: { outcome, atMonotonic: clock.now() } });
    ledger.settleFiring(delivery.eventId, outcome);
  });
}

/** What a delivery still knows of its event. */
function eventOf({ eventId, acceptedAt: receivedAt, firing }: Delivery): RestoredEvent {
  const { source: plugin, eventType: type, internalType, resourceName, namespace } = firing;
  return { eventId, plugin, type, internalType, resourceName, namespace, receivedAt };
}

function aim(delivery: Delivery): string {
  return `for agent ${agentId(delivery)} as message ${delivery.messageId}`;
}
