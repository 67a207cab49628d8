/**
 * The outbox that outlives the process: what it was given stands in a file when `put` resolves. What stands and what fired is held
 * in memory as well (the objects are shared with dispatch), so that a file which was moved away under a running khook is written
 * again from there.
 */

import { join } from 'node:path';
import type { Clock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { Subscribable } from '../base/emitter.ts';
import { HostError } from '../base/errors.ts';
import type { DedupRecord } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import type { OutboxEvents } from './events.ts';
import { firedBy, type Outbox } from './outbox.ts';
import { type Durability, OUTBOX_FILE, OutboxFile, type Write } from './outbox-file.ts';
import { OutboxWriter } from './outbox-writer.ts';
import type { StorageFault } from './storage-fault.ts';

export interface SqliteOutboxOptions {
  /** Absolute. Made when it is not there. */
  readonly directory: string;
  readonly capacity: number;
  /** Over it the one that died first is forgotten. Default: the capacity. */
  readonly maxDeadLetters?: number;
  readonly durability: Durability;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

interface Standing {
  delivery: Delivery;
  /** The transaction that puts it is through. */
  isStored: boolean;
}

export class SqliteOutbox implements Outbox {
  readonly capacity: number;
  readonly isDurable = true;
  readonly #maxDeadLetters: number;
  readonly #path: string;
  readonly #writer: OutboxWriter;
  readonly #standing = new Map<string, Standing>();
  /** As they stand in the file; bounded by the dedup window, which says what to forget. */
  readonly #fired = new Map<string, DedupRecord>();
  /** Settles when what an earlier life left has been read, or khook stops before that. */
  readonly #contents = Promise.withResolvers<void>();
  #hasContents = false;
  #deadLetterCount = 0;

  constructor({ directory, capacity, maxDeadLetters = capacity, durability, clock, random }: SqliteOutboxOptions) {
    this.capacity = capacity;
    this.#maxDeadLetters = maxDeadLetters;
    this.#path = join(directory, OUTBOX_FILE);
    this.#contents.promise.catch(() => undefined);
    this.#writer = new OutboxWriter({
      path: this.#path,
      clock,
      random,
      openFile: (lockTimeoutMs) =>
        this.#take(OutboxFile.open({ directory, durability, maxDeadLetters, lockTimeoutMs })),
      isKnown: () => this.#hasContents,
      onWritten: (writes) => this.#reflect(writes),
    });
  }

  get events(): Subscribable<OutboxEvents> {
    return this.#writer.events;
  }

  get size(): number {
    return this.#standing.size;
  }

  get deadLetterCount(): number {
    return this.#deadLetterCount;
  }

  get fault(): StorageFault | null {
    return this.#writer.fault;
  }

  async open(): Promise<void> {
    this.#writer.open();
  }

  async put(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const taken = deliveries.slice(0, Math.max(0, this.capacity - this.size));
    // The room is theirs from now on, or two calls of one turn would both take it.
    for (const delivery of taken) this.#standing.set(delivery.messageId, { delivery, isStored: false });
    try {
      if (taken.length > 0) await this.#writer.write(taken.flatMap(entering));
    } catch (error) {
      for (const { messageId } of taken) this.#standing.delete(messageId);
      throw error;
    }
    return deliveries.slice(taken.length);
  }

  async update(delivery: Delivery): Promise<void> {
    const standing = this.#standing.get(delivery.messageId);
    if (standing === undefined) return;
    standing.delivery = delivery;
    await this.#writer.write([{ kind: 'state', delivery }]);
  }

  async remove(messageId: string): Promise<void> {
    if (this.#standing.delete(messageId)) await this.#writer.write([{ kind: 'remove', messageId }]);
  }

  async bury(delivery: Delivery): Promise<void> {
    this.#standing.delete(delivery.messageId);
    await this.#writer.write([{ kind: 'bury', delivery }]);
  }

  async list(): Promise<readonly Delivery[]> {
    await this.#contents.promise;
    return this.#stored();
  }

  async fired(): Promise<readonly DedupRecord[]> {
    await this.#contents.promise;
    return [...this.#fired.values()];
  }

  refresh(records: readonly DedupRecord[]): void {
    const changed = records.filter(({ dedupKey, lastSeen }) => {
      const known = this.#fired.get(dedupKey);
      return known !== undefined && known.lastSeen !== lastSeen;
    });
    if (changed.length > 0) this.#writer.write(changed.map(hasFired)).catch(() => undefined);
  }

  forget(dedupKey: string): void {
    // What cannot be forgotten holds its key back a little longer in the next life, and never longer than a window.
    this.#writer.write([{ kind: 'forget', dedupKey }]).catch(() => undefined);
  }

  async deadLetters(limit: number): Promise<readonly Delivery[]> {
    const { file, fault } = this.#writer;
    if (file === null)
      throw new HostError('HOST_ERR_OUTBOX', fault?.message ?? `The outbox ${this.#path} is not open.`);
    try {
      return file.deadLetters(limit);
    } catch (error) {
      const message = `The dead letters in ${this.#path} cannot be read (${messageOf(error)}). Check the volume that it is on.`;
      throw new HostError('HOST_ERR_OUTBOX', message, { cause: error });
    }
  }

  release(): void {
    this.#writer.release();
    if (!this.#hasContents) this.#contents.reject(this.#writer.stopping());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#writer.close();
  }

  #stored(): readonly Delivery[] {
    return [...this.#standing.values()].filter(({ isStored }) => isStored).map(({ delivery }) => delivery);
  }

  /** A file that was just opened: read the first time, made to hold what is known every other time. */
  #take(file: OutboxFile): OutboxFile {
    try {
      if (this.#hasContents) {
        file.commit([...this.#stored().flatMap(standing), ...[...this.#fired.values()].map(hasFired)]);
        this.#deadLetterCount = file.deadLetterCount;
      } else this.#read(file);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #read(file: OutboxFile): void {
    const { deliveries, fired, deadLetterCount } = file.read();
    for (const delivery of deliveries) this.#standing.set(delivery.messageId, { delivery, isStored: true });
    for (const record of fired) this.#fired.set(record.dedupKey, record);
    this.#deadLetterCount = deadLetterCount;
    this.#hasContents = true;
    const counts = { firings: deliveries.length, deadLetters: deadLetterCount };
    this.#writer.events.emit('outbox:opened', { path: this.#path, ...counts });
    this.#contents.resolve();
  }

  #reflect(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.kind === 'fired') this.#fired.set(write.record.dedupKey, write.record);
      else if (write.kind === 'forget') this.#fired.delete(write.dedupKey);
      else if (write.kind === 'bury') this.#deadLetterCount = Math.min(this.#maxDeadLetters, this.#deadLetterCount + 1);
      else if (write.kind === 'put') {
        const entry = this.#standing.get(write.delivery.messageId);
        if (entry !== undefined) entry.isStored = true;
      }
    }
  }
}

function standing(delivery: Delivery): Write[] {
  return [{ kind: 'put', delivery }];
}

function hasFired(record: DedupRecord): Write {
  return { kind: 'fired', record };
}

/** Firing and key stand together or not at all: a key without its firing would silence it for nothing. */
function entering(delivery: Delivery): Write[] {
  return [...standing(delivery), hasFired(firedBy(delivery))];
}
