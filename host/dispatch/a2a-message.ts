/** The A2A documents that khook writes and reads, in the SDK's shapes. */

import { AgentCard, type Part, Role, type SendMessageRequest, type Task, TaskState } from '@a2a-js/sdk';
import type { Delivery } from './delivery.ts';
import type { AgentTaskState } from './delivery-policy.ts';

export const PROTOCOL_VERSIONS = ['1.0', '0.3'] as const;
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** Characters of an agent's text that are kept. */
const TEXT_LIMIT = 4_096;

/** A card in memory: nothing is fetched to find out what `url` speaks. */
export function cardFor(url: string, protocolVersion: ProtocolVersion): AgentCard {
  return AgentCard.fromJSON({
    name: 'agent',
    description: '',
    version: '1',
    capabilities: {},
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
    supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion, tenant: '' }],
  });
}

/** The same message on every attempt: agents tell a repetition by its messageId. */
export function messageFor(delivery: Delivery): SendMessageRequest {
  return {
    tenant: '',
    metadata: undefined,
    configuration: {
      acceptedOutputModes: ['text/plain'],
      taskPushNotificationConfig: undefined,
      historyLength: 0,
      returnImmediately: true,
    },
    message: {
      messageId: delivery.messageId,
      contextId: delivery.contextId,
      taskId: '',
      role: Role.ROLE_USER,
      parts: [textPart(delivery.firing.prompt)],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
  };
}

export function textPart(value: string): Part {
  return { content: { $case: 'text', value }, metadata: undefined, filename: '', mediaType: 'text/plain' };
}

export function textOf(parts: readonly Part[], limit = TEXT_LIMIT): string {
  return parts
    .map((part) => (part.content?.$case === 'text' ? part.content.value : ''))
    .filter((text) => text !== '')
    .join('\n')
    .slice(0, limit);
}

/** What the agent wrote: its last status message, then its artifacts. */
export function taskText(task: Task): string {
  const status = textOf(task.status?.message?.parts ?? []);
  const artifacts = task.artifacts.map((artifact) => textOf(artifact.parts));
  return [status, ...artifacts]
    .filter((text) => text !== '')
    .join('\n')
    .slice(0, TEXT_LIMIT);
}

export function taskState(task: Task): AgentTaskState {
  switch (task.status?.state) {
    case TaskState.TASK_STATE_SUBMITTED:
      return 'submitted';
    case TaskState.TASK_STATE_WORKING:
      return 'working';
    case TaskState.TASK_STATE_COMPLETED:
      return 'completed';
    case TaskState.TASK_STATE_FAILED:
      return 'failed';
    case TaskState.TASK_STATE_CANCELED:
      return 'canceled';
    case TaskState.TASK_STATE_REJECTED:
      return 'rejected';
    case TaskState.TASK_STATE_INPUT_REQUIRED:
      return 'input-required';
    case TaskState.TASK_STATE_AUTH_REQUIRED:
      return 'auth-required';
    default:
      return 'unknown';
  }
}
