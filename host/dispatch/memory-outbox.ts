/** The outbox of a process that keeps nothing: gone with the process. */

import type { Clock } from '../../ipc/clock.ts';
import { Emitter } from '../base/emitter.ts';
import { agentId } from './agent-client.ts';
import type { DedupRecord } from './dedup.ts';
import { bytesOf, type Delivery } from './delivery.ts';
import type { OutboxEvents } from './events.ts';
import { DEAD_LETTER_BOUNDS, type DeadLetterBounds, type DeadLetterQuery, firedBy, type Outbox } from './outbox.ts';

export interface MemoryOutboxOptions {
  readonly clock: Clock;
  readonly deadLetters?: DeadLetterBounds;
}

interface DeadLetter {
  readonly delivery: Delivery;
  /** Monotonic. */
  readonly diedAt: number;
}

export class MemoryOutbox implements Outbox {
  readonly isDurable = false;
  readonly fault = null;
  readonly events = new Emitter<OutboxEvents>();
  readonly #clock: Clock;
  readonly #bounds: DeadLetterBounds;
  readonly #deliveries = new Map<string, Delivery>();
  #bytes = 0;
  /** In order of death. */
  readonly #dead = new Map<string, DeadLetter>();
  #deadBytes = 0;

  constructor({ clock, deadLetters = DEAD_LETTER_BOUNDS }: MemoryOutboxOptions) {
    this.#clock = clock;
    this.#bounds = deadLetters;
  }

  get size(): number {
    return this.#deliveries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get deadLetterCount(): number {
    this.#prune();
    return this.#dead.size;
  }

  async open(): Promise<void> {}

  async put(deliveries: readonly Delivery[]): Promise<void> {
    for (const delivery of deliveries) {
      this.#deliveries.set(delivery.messageId, delivery);
      this.#bytes += bytesOf(delivery);
    }
  }

  async update(delivery: Delivery): Promise<void> {
    const before = this.#deliveries.get(delivery.messageId);
    if (before === undefined) return;
    this.#deliveries.set(delivery.messageId, delivery);
    this.#bytes += bytesOf(delivery) - bytesOf(before);
  }

  async remove(messageId: string): Promise<void> {
    this.#leave(messageId);
  }

  async bury(delivery: Delivery): Promise<void> {
    this.#leave(delivery.messageId);
    this.#unbury(delivery.messageId);
    this.#dead.set(delivery.messageId, { delivery, diedAt: this.#clock.now() });
    this.#deadBytes += bytesOf(delivery);
    this.#prune();
  }

  async revive(delivery: Delivery): Promise<void> {
    this.#unbury(delivery.messageId);
    await this.put([delivery]);
  }

  async discard(messageId: string): Promise<void> {
    this.#unbury(messageId);
  }

  async list(): Promise<readonly Delivery[]> {
    return [...this.#deliveries.values()];
  }

  /** Of what stands here: there is no later life to which the others would matter. */
  async fired(): Promise<readonly DedupRecord[]> {
    return [...this.#deliveries.values()].map(firedBy);
  }

  refresh(): void {}

  forget(): void {}

  async deadLetters({ limit, hook, agent }: DeadLetterQuery): Promise<readonly Delivery[]> {
    this.#prune();
    return [...this.#dead.values()]
      .reverse()
      .map(({ delivery }) => delivery)
      .filter((delivery) => hook === null || delivery.firing.hook === hook)
      .filter((delivery) => agent === null || agentId(delivery) === agent)
      .slice(0, limit)
      .map((delivery) => ({ ...delivery, firing: { ...delivery.firing, prompt: '' } }));
  }

  async deadLetter(messageId: string): Promise<Delivery | null> {
    this.#prune();
    return this.#dead.get(messageId)?.delivery ?? null;
  }

  release(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #leave(messageId: string): void {
    const delivery = this.#deliveries.get(messageId);
    if (delivery === undefined) return;
    this.#deliveries.delete(messageId);
    this.#bytes -= bytesOf(delivery);
  }

  #unbury(messageId: string): void {
    const letter = this.#dead.get(messageId);
    if (letter === undefined) return;
    this.#dead.delete(messageId);
    this.#deadBytes -= bytesOf(letter.delivery);
  }

  #prune(): void {
    const { maxCount, maxBytes, maxAgeMs } = this.#bounds;
    const count = { size: 0, age: 0 };
    for (const { delivery, diedAt } of this.#dead.values()) {
      const isOld = diedAt < this.#clock.now() - maxAgeMs;
      const isTooMuch = this.#dead.size > 1 && (this.#dead.size > maxCount || this.#deadBytes > maxBytes);
      if (!isOld && !isTooMuch) break;
      this.#unbury(delivery.messageId);
      count[isOld ? 'age' : 'size'] += 1;
    }
    for (const why of ['size', 'age'] as const)
      if (count[why] > 0) this.events.emit('dead-letters:forgotten', { count: count[why], why });
  }
}
