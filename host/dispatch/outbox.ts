/** Where firings stand until their agent is done with them. What a frame's ack promises is that they stand here. */

import type { Subscribable } from '../base/emitter.ts';
import type { DedupRecord } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import type { OutboxEvents } from './events.ts';
import type { StorageFault } from './storage-fault.ts';

export interface Outbox extends AsyncDisposable {
  /** Undelivered firings it takes at most. */
  readonly capacity: number;
  /** Whether what stands here survives the process. */
  readonly isDurable: boolean;
  /** Undelivered firings in it now. */
  readonly size: number;
  readonly deadLetterCount: number;
  /** Why it cannot be written just now; null when it can. Writes wait meanwhile. */
  readonly fault: StorageFault | null;
  readonly events: Subscribable<OutboxEvents>;
  /** Before anything else. Rejects with HOST_ERR_DATA_IN_USE when another process has it; any other fault is waited out. */
  open(): Promise<void>;
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
  /** Keys that fired and were not forgotten since, for the same purpose. `put` enters them. */
  fired(): Promise<readonly DedupRecord[]>;
  /** What has been seen of keys since they fired. Nothing waits for it. */
  refresh(records: readonly DedupRecord[]): void;
  /** The key may fire again. Nothing waits for it; it goes with the writes of the same turn. */
  forget(dedupKey: string): void;
  /** Newest first. */
  deadLetters(limit: number): Promise<readonly Delivery[]>;
  /** khook stops: from now on no write waits for a fault to pass. It rejects with HOST_ERR_STOPPING, as those do that wait now. */
  release(): void;
}

/** What the dedup window has to know of a firing in a later life. */
export function firedBy({ firing, acceptedAt }: Delivery): DedupRecord {
  const { dedupKey, hook, eventType, resourceName } = firing;
  return { dedupKey, hook, eventType, resourceName, firstSeen: acceptedAt, lastSeen: acceptedAt, duplicates: 0 };
}
