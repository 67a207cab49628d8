/** The Events that khook writes about Hooks. Reasons and messages are those of earlier khooks: people grep and alert on them. */

import { redactText } from '../base/redact.ts';

export interface EventWords {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}

export const EVENT_REASONS = [
  'EventFiring',
  'AgentCallSuccess',
  'AgentCallFailure',
  'DuplicateEventIgnored',
  'EventResolved',
  'EventProcessingError',
] as const;
export type EventReason = (typeof EVENT_REASONS)[number];

export interface EventSubject {
  readonly eventType: string;
  readonly resourceName: string;
}

interface CallSubject extends EventSubject {
  readonly agent: { readonly name: string };
}

/** The API server takes no more. */
const MAX_MESSAGE = 1_024;

export function eventFiring({ eventType, resourceName, agent }: CallSubject): EventWords {
  const message = `Event ${eventType} fired for resource ${resourceName}, calling agent ${agent.name}`;
  return words('Normal', 'EventFiring', message);
}

/** `request`: the agent's context, in which its session can be found. */
export function agentCallSuccess({ eventType, resourceName, agent }: CallSubject, request: string): EventWords {
  const what = `Successfully called agent ${agent.name} for event ${eventType} on resource ${resourceName}`;
  return words('Normal', 'AgentCallSuccess', `${what} (request: ${request})`);
}

export function agentCallFailure({ eventType, resourceName, agent }: CallSubject, error: string): EventWords {
  const what = `Failed to call agent ${agent.name} for event ${eventType} on resource ${resourceName}`;
  return words('Warning', 'AgentCallFailure', `${what}: ${error}`);
}

export function duplicateEventIgnored({ eventType, resourceName }: EventSubject): EventWords {
  const what = `Duplicate event ${eventType} ignored for resource ${resourceName}`;
  return words('Normal', 'DuplicateEventIgnored', `${what} (within deduplication window)`);
}

export function eventResolved({ eventType, resourceName }: EventSubject): EventWords {
  return words('Normal', 'EventResolved', `Event ${eventType} resolved for resource ${resourceName} after timeout`);
}

/** khook has given the firing up. */
export function eventProcessingError({ eventType, resourceName, agent }: CallSubject, error: string): EventWords {
  const what = `Failed to process event ${eventType} for resource ${resourceName} with agent ${agent.name}`;
  return words('Warning', 'EventProcessingError', `${what}: ${error}`);
}

/** An error may quote what an agent, or an event, said. */
function words(type: EventWords['type'], reason: EventReason, message: string): EventWords {
  const safe = redactText(message).toWellFormed();
  return { type, reason, message: safe.length > MAX_MESSAGE ? `${safe.slice(0, MAX_MESSAGE - 1)}…` : safe };
}
