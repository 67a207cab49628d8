/** Where firings stand until their agent is done with them. What a frame's ack promises is that they stand here. */

import type { Subscribable } from '../base/emitter.ts';
import type { DedupRecord } from './dedup.ts';
import { type Delivery, firedAt } from './delivery.ts';
import type { OutboxEvents } from './events.ts';
import type { StorageFault } from './storage-fault.ts';

export interface Outbox extends AsyncDisposable {
  /** Whether what stands here survives the process. */
  readonly isDurable: boolean;
  /** Undelivered firings in it now. */
  readonly size: number;
  /** What they take up, about. */
  readonly bytes: number;
  readonly deadLetterCount: number;
  /** Why it cannot be written just now; null when it can. Writes wait meanwhile. */
  readonly fault: StorageFault | null;
  readonly events: Subscribable<OutboxEvents>;
  /** Before anything else. Rejects with HOST_ERR_DATA_IN_USE when another process has it; any other fault is waited out. */
  open(): Promise<void>;
  /** Resolves when they stand. They count at once; for how many there is room is decided by whoever puts them. */
  put(deliveries: readonly Delivery[]): Promise<void>;
  /** Records the state of one that stands here; one that does not is ignored. */
  update(delivery: Delivery): Promise<void>;
  /** It is delivered. */
  remove(messageId: string): Promise<void>;
  /** Moves it to the dead letters in one step, whether it stood here or found no room. */
  bury(delivery: Delivery): Promise<void>;
  /** Moves it back from the dead letters in one step, as `put` would have put it. */
  revive(delivery: Delivery): Promise<void>;
  /** Forgets a dead letter. */
  discard(messageId: string): Promise<void>;
  /** What stands here, oldest first: to take up after a restart. */
  list(): Promise<readonly Delivery[]>;
  /** Keys that fired and were not forgotten since, for the same purpose. `put` enters them. */
  fired(): Promise<readonly DedupRecord[]>;
  /** What has been seen of keys since they fired. Nothing waits for it. */
  refresh(records: readonly DedupRecord[]): void;
  /** The key may fire again. Nothing waits for it; it goes with the writes of the same turn. */
  forget(dedupKey: string): void;
  /** Newest first, without their prompts, which may be long. Rejects with HOST_ERR_OUTBOX when they cannot be read. */
  deadLetters(query: DeadLetterQuery): Promise<readonly Delivery[]>;
  /** One of them, whole. */
  deadLetter(messageId: string): Promise<Delivery | null>;
  /** khook stops: from now on no write waits for a fault to pass. It rejects with HOST_ERR_STOPPING, as those do that wait now. */
  release(): void;
}

export interface DeadLetterQuery {
  readonly limit: number;
  /** `namespace/name`; null: of all. */
  readonly hook: string | null;
  /** `namespace/name`; null: of all. */
  readonly agent: string | null;
}

/** How many dead letters are kept, and for how long. Past any of these the one that died first is forgotten; the newest is kept, whatever its size. */
export interface DeadLetterBounds {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export const DEAD_LETTER_BOUNDS: DeadLetterBounds = {
  maxCount: 10_000,
  maxBytes: 256 * 1024 * 1024,
  maxAgeMs: 30 * 24 * 3_600_000,
};

/** What the dedup window has to know of a firing in a later life. */
export function firedBy(delivery: Delivery): DedupRecord {
  const { dedupKey, hook, eventType, resourceName } = delivery.firing;
  const at = firedAt(delivery);
  return { dedupKey, hook, eventType, resourceName, firstSeen: at, lastSeen: at, duplicates: 0 };
}
