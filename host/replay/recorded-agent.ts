/** Stands in for every agent: nothing is sent. A firing ends as it ended in the recording, at that time; one that is new is taken at once. */

import { type Clock, delay } from '../../ipc/clock.ts';
import { HostError } from '../base/errors.ts';
import type { AgentClient, SendResult, TaskEnd } from '../dispatch/agent-client.ts';
import type { Delivery } from '../dispatch/delivery.ts';

export interface FailedFiring {
  readonly eventId: string;
  readonly hook: string;
  readonly configuration: number;
  /** When it was given up. */
  readonly at: number;
}

export class RecordedAgent implements AgentClient {
  readonly #clock: Clock;
  readonly #failures = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Say so before the firing is accepted. Returns what takes it back, for one that is not sent. */
  expectFailure({ eventId, hook, configuration, at }: FailedFiring): () => void {
    const name = nameOf(eventId, hook, configuration);
    this.#failures.set(name, at);
    return () => this.#failures.delete(name);
  }

  async send({ eventId, firing }: Delivery, signal: AbortSignal): Promise<SendResult> {
    const name = nameOf(eventId, firing.hook, firing.configuration);
    const at = this.#failures.get(name);
    if (at === undefined) return { kind: 'message' };
    this.#failures.delete(name);
    await delay(this.#clock, at - this.#clock.now(), signal);
    throw new HostError('HOST_ERR_AGENT_REFUSED', 'it failed in the recording');
  }

  async follow(): Promise<TaskEnd> {
    return { state: 'completed', text: '' };
  }
}

function nameOf(eventId: string, hook: string, configuration: number): string {
  return JSON.stringify([eventId, hook, configuration]);
}
