/**
 * The outbox that outlives the process: what it was given stands in a file when `put` resolves. What stands and what fired is held
 * in memory as well (the objects are shared with dispatch), so that a file which was moved away under a running khook, or is damaged,
 * is written again from there.
 */

import { join } from 'node:path';
import type { Clock, Timer } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { Subscribable } from '../base/emitter.ts';
import { HostError } from '../base/errors.ts';
import type { Forgotten } from './dead-letter-table.ts';
import type { DedupRecord } from './dedup.ts';
import { bytesOf, type Delivery } from './delivery.ts';
import type { OutboxEvents } from './events.ts';
import { FileTime } from './file-time.ts';
import { DEAD_LETTER_BOUNDS, type DeadLetterBounds, type DeadLetterQuery, firedBy, type Outbox } from './outbox.ts';
import { type Durability, OUTBOX_FILE, OutboxFile, type Write } from './outbox-file.ts';
import { OutboxWriter } from './outbox-writer.ts';
import type { StorageFault } from './storage-fault.ts';

export interface SqliteOutboxOptions {
  /** Absolute. Made when it is not there. */
  readonly directory: string;
  readonly deadLetters?: DeadLetterBounds;
  readonly durability: Durability;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

interface Standing {
  delivery: Delivery;
  readonly bytes: number;
  /** The transaction that puts it is through. */
  isStored: boolean;
}

/** A step of the clock is written down, and an old dead letter forgotten, so long after it at the latest. */
const TIDY_MS = 5_000;

export class SqliteOutbox implements Outbox {
  readonly isDurable = true;
  readonly #path: string;
  readonly #writer: OutboxWriter;
  readonly #time: FileTime;
  readonly #tidying: Timer;
  readonly #standing = new Map<string, Standing>();
  #bytes = 0;
  /** As they stand in the file; bounded by the dedup window, which says what to forget. */
  readonly #fired = new Map<string, DedupRecord>();
  /** Settles when what an earlier life left has been read, or khook stops before that. */
  readonly #contents = Promise.withResolvers<void>();
  #hasContents = false;
  #deadLetterCount = 0;

  constructor({ directory, deadLetters = DEAD_LETTER_BOUNDS, durability, clock, random }: SqliteOutboxOptions) {
    this.#path = join(directory, OUTBOX_FILE);
    this.#contents.promise.catch(() => undefined);
    const time = new FileTime(clock, (byMs) => this.#writer.events.emit('clock:stepped', { byMs }));
    this.#time = time;
    this.#writer = new OutboxWriter({
      path: this.#path,
      clock,
      random,
      openFile: (lockTimeoutMs) =>
        this.#take(OutboxFile.open({ directory, durability, deadLetters, time, lockTimeoutMs })),
      isKnown: () => this.#hasContents,
      onWritten: (writes) => this.#reflect(writes),
      onForgotten: (forgotten) => this.#forgot(forgotten),
    });
    this.#tidying = clock.every(TIDY_MS, () => this.#tidy());
  }

  get events(): Subscribable<OutboxEvents> {
    return this.#writer.events;
  }

  get size(): number {
    return this.#standing.size;
  }

  get bytes(): number {
    return this.#bytes;
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

  async put(deliveries: readonly Delivery[]): Promise<void> {
    await this.#enter(deliveries, deliveries.flatMap(entering));
  }

  async update(delivery: Delivery): Promise<void> {
    const standing = this.#standing.get(delivery.messageId);
    if (standing === undefined) return;
    standing.delivery = delivery;
    await this.#writer.write([{ kind: 'state', delivery }]);
  }

  async remove(messageId: string): Promise<void> {
    if (this.#leave(messageId)) await this.#writer.write([{ kind: 'remove', messageId }]);
  }

  async bury(delivery: Delivery): Promise<void> {
    this.#leave(delivery.messageId);
    await this.#writer.write([{ kind: 'bury', delivery }]);
  }

  async revive(delivery: Delivery): Promise<void> {
    const { messageId } = delivery;
    await this.#enter([delivery], [{ kind: 'unbury', messageId }, ...entering(delivery)]);
  }

  async discard(messageId: string): Promise<void> {
    await this.#writer.write([{ kind: 'unbury', messageId }]);
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
    if (changed.length === 0) return;
    this.#writer.write(changed.map((record) => ({ kind: 'seen', record }) as const)).catch(() => undefined);
  }

  forget(dedupKey: string): void {
    // What cannot be forgotten holds its key back a little longer in the next life, and never longer than a window.
    this.#writer.write([{ kind: 'forget', dedupKey }]).catch(() => undefined);
  }

  async deadLetters(query: DeadLetterQuery): Promise<readonly Delivery[]> {
    return this.#read((file) => file.deadLetters.list(query, this.#time.steppedMs));
  }

  async deadLetter(messageId: string): Promise<Delivery | null> {
    return this.#read((file) => file.deadLetters.find(messageId, this.#time.steppedMs));
  }

  release(): void {
    this.#writer.release();
    if (!this.#hasContents) this.#contents.reject(this.#writer.stopping());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#tidying.cancel();
    this.#tidy();
    this.#writer.close();
  }

  /** The room is theirs from now on. */
  async #enter(deliveries: readonly Delivery[], writes: readonly Write[]): Promise<void> {
    for (const delivery of deliveries) this.#stand(delivery, false);
    try {
      await this.#writer.write(writes);
    } catch (error) {
      for (const { messageId } of deliveries) this.#leave(messageId);
      throw error;
    }
  }

  #stand(delivery: Delivery, isStored: boolean): void {
    const bytes = bytesOf(delivery);
    this.#standing.set(delivery.messageId, { delivery, bytes, isStored });
    this.#bytes += bytes;
  }

  #leave(messageId: string): boolean {
    const standing = this.#standing.get(messageId);
    if (standing === undefined) return false;
    this.#bytes -= standing.bytes;
    return this.#standing.delete(messageId);
  }

  #read<T>(read: (file: OutboxFile) => T): T {
    const { file, fault } = this.#writer;
    if (file === null)
      throw new HostError('HOST_ERR_OUTBOX', fault?.message ?? `The outbox ${this.#path} is not open.`);
    try {
      return read(file);
    } catch (error) {
      this.#writer.report(error);
      const message = `The dead letters in ${this.#path} cannot be read (${messageOf(error)}). Check the volume that it is on.`;
      throw new HostError('HOST_ERR_OUTBOX', message, { cause: error });
    }
  }

  #stored(): readonly Delivery[] {
    return [...this.#standing.values()].filter(({ isStored }) => isStored).map(({ delivery }) => delivery);
  }

  #tidy(): void {
    const { file, fault } = this.#writer;
    if (fault !== null || file?.isUntidy !== true) return;
    this.#writer.write([{ kind: 'tidy' }]).catch(() => undefined);
  }

  /** A file that was just opened: read the first time, made to hold what is known every other time. */
  #take(file: OutboxFile): OutboxFile {
    try {
      if (this.#hasContents)
        file.commit([...this.#stored().flatMap(standing), ...[...this.#fired.values()].map(hasFired)]);
      else this.#takeUp(file);
      this.#deadLetterCount = file.deadLetters.count;
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #takeUp(file: OutboxFile): void {
    const { deliveries, fired } = file.read();
    for (const delivery of deliveries) this.#stand(delivery, true);
    for (const record of fired) this.#fired.set(record.dedupKey, record);
    this.#hasContents = true;
    const counts = { firings: deliveries.length, deadLetters: file.deadLetters.count };
    this.#writer.events.emit('outbox:opened', { path: this.#path, ...counts });
    this.#contents.resolve();
  }

  #reflect(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.kind === 'fired' || write.kind === 'seen') this.#fired.set(write.record.dedupKey, write.record);
      else if (write.kind === 'forget') this.#fired.delete(write.dedupKey);
      else if (write.kind === 'put') {
        const entry = this.#standing.get(write.delivery.messageId);
        if (entry !== undefined) entry.isStored = true;
      }
    }
    this.#deadLetterCount = this.#writer.file?.deadLetters.count ?? this.#deadLetterCount;
  }

  #forgot({ size, age }: Forgotten): void {
    if (size > 0) this.#writer.events.emit('dead-letters:forgotten', { count: size, why: 'size' });
    if (age > 0) this.#writer.events.emit('dead-letters:forgotten', { count: age, why: 'age' });
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
