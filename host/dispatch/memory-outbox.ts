/** The outbox of a process that keeps nothing: bounded, and gone with the process. */

import { Emitter } from '../base/emitter.ts';
import type { DedupRecord } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import type { OutboxEvents } from './events.ts';
import { firedBy, type Outbox } from './outbox.ts';

export interface MemoryOutboxOptions {
  readonly capacity?: number;
  /** Over it the oldest dead letter is forgotten. */
  readonly maxDeadLetters?: number;
}

export class MemoryOutbox implements Outbox {
  readonly capacity: number;
  readonly isDurable = false;
  readonly fault = null;
  readonly events = new Emitter<OutboxEvents>();
  readonly #maxDeadLetters: number;
  readonly #deliveries = new Map<string, Delivery>();
  readonly #dead = new Map<string, Delivery>();

  constructor({ capacity = 10_000, maxDeadLetters = 1_000 }: MemoryOutboxOptions = {}) {
    this.capacity = capacity;
    this.#maxDeadLetters = maxDeadLetters;
  }

  get size(): number {
    return this.#deliveries.size;
  }

  get deadLetterCount(): number {
    return this.#dead.size;
  }

  async open(): Promise<void> {}

  async put(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const room = Math.max(0, this.capacity - this.#deliveries.size);
    for (const delivery of deliveries.slice(0, room)) this.#deliveries.set(delivery.messageId, delivery);
    return deliveries.slice(room);
  }

  async update(delivery: Delivery): Promise<void> {
    if (this.#deliveries.has(delivery.messageId)) this.#deliveries.set(delivery.messageId, delivery);
  }

  async remove(messageId: string): Promise<void> {
    this.#deliveries.delete(messageId);
  }

  async bury(delivery: Delivery): Promise<void> {
    this.#deliveries.delete(delivery.messageId);
    this.#dead.set(delivery.messageId, delivery);
    while (this.#dead.size > this.#maxDeadLetters) {
      const oldest = this.#dead.keys().next();
      if (oldest.done === true) return;
      this.#dead.delete(oldest.value);
    }
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

  async deadLetters(limit: number): Promise<readonly Delivery[]> {
    return [...this.#dead.values()].reverse().slice(0, limit);
  }

  release(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
