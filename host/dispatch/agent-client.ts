/** What dispatch needs of whoever talks to agents. */

import type { Delivery } from './delivery.ts';
import type { AgentTaskState } from './delivery-policy.ts';

export type SendResult =
  /** Answered at once; there is no task to follow. */
  | { readonly kind: 'message' }
  | { readonly kind: 'task'; readonly taskId: string; readonly state: AgentTaskState; readonly text: string };

export interface TaskEnd {
  readonly state: AgentTaskState;
  /** What the agent wrote, bounded. */
  readonly text: string;
}

export interface FollowOptions {
  /** How long to follow; past it the task counts as failed. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface AgentClient {
  /** Hands the prompt over without waiting for the agent's work. Rejects with HOST_ERR_AGENT_* or HOST_ERR_STOPPING. */
  send(delivery: Delivery, signal: AbortSignal): Promise<SendResult>;
  /** Waits until the task is settled. Bad answers on the way are tolerated; rejects when the task is lost or takes too long. */
  follow(delivery: Delivery, taskId: string, options: FollowOptions): Promise<TaskEnd>;
}

/** `namespace/name`. */
export function agentId(delivery: Delivery): string {
  const { namespace, name } = delivery.firing.agent;
  return `${namespace}/${name}`;
}
