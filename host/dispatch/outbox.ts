/** Where firings stand until their agent is done with them. What a frame's ack promises is that they stand here. */

import type { Delivery } from './delivery.ts';

export interface Outbox {
  /** Undelivered firings it takes at most. */
  readonly capacity: number;
  /** Whether what stands here survives the process. */
  readonly isDurable: boolean;
  /** Undelivered firings in it now. */
  readonly size: number;
  readonly deadLetterCount: number;
  /** Resolves when they stand. Returns those for which there was no room, in order; nothing of these is kept. */
  put(deliveries: readonly Delivery[]): Promise<readonly Delivery[]>;
  /** Records the state of one that stands here; one that does not is ignored. */
  update(delivery: Delivery): Promise<void>;
  /** It is delivered. */
  remove(messageId: string): Promise<void>;
  /** Moves it to the dead letters in one step, whether it stood here or found no room. */
  bury(delivery: Delivery): Promise<void>;
  /** What stands here, oldest first: to take up after a restart. */
  list(): Promise<readonly Delivery[]>;
  /** Newest first. */
  deadLetters(limit: number): Promise<readonly Delivery[]>;
}
