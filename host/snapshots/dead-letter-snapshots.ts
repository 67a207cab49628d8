/** Dead letters as people see them, secrets taken out: a prompt quotes an event, and a reason quotes an agent. */

import { redactText } from '../base/redact.ts';
import { agentId } from '../dispatch/agent-client.ts';
import type { DeadLetters } from '../dispatch/dead-letters.ts';
import type { Delivery } from '../dispatch/delivery.ts';
import type { DeadLetterLabel, DeadLetterSnapshot, DeadLetterView, HostOperations } from '../http/view.ts';

export function deadLetterView(letters: DeadLetters): DeadLetterView {
  return {
    async deadLetters(query) {
      const found = await letters.list(query);
      return { total: letters.count, deadLetters: found.map(deadLetterSnapshot) };
    },
    async deadLetter(id) {
      const found = await letters.find(id);
      return { ...deadLetterSnapshot(found), prompt: redactText(found.firing.prompt) };
    },
  };
}

export function deadLetterOperations(letters: DeadLetters): Pick<HostOperations, 'retryDeadLetter' | 'dropDeadLetter'> {
  return {
    retryDeadLetter: async (id) => label(await letters.redrive(id)),
    dropDeadLetter: async (id) => label(await letters.drop(id)),
  };
}

function label(delivery: Delivery): DeadLetterLabel {
  const { messageId: id, firing } = delivery;
  return { id, hook: firing.hook, agent: agentId(delivery), resourceName: redactText(firing.resourceName) };
}

function deadLetterSnapshot(delivery: Delivery): DeadLetterSnapshot {
  const { eventId, acceptedAt, redrivenAt, firing, state, calls } = delivery;
  const death = state.kind === 'dead' ? state : { code: '', reason: '', at: acceptedAt };
  return {
    ...label(delivery),
    eventId,
    eventType: firing.eventType,
    namespace: firing.namespace,
    code: death.code,
    reason: redactText(death.reason),
    attempts: calls?.count ?? 0,
    firstAttemptAt: calls === undefined ? null : time(calls.firstAt),
    lastAttemptAt: calls === undefined ? null : time(calls.lastAt),
    acceptedAt: time(acceptedAt),
    redrivenAt: redrivenAt === undefined ? null : time(redrivenAt),
    diedAt: time(death.at),
  };
}

function time(wall: number): string {
  return new Date(wall).toISOString();
}
