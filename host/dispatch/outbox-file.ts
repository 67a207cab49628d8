/**
 * The file of the outbox, open: one connection that holds the file's lock as long as it lives, and so ends with the process however
 * that ends. Synchronous, on the host's thread; throws what SQLite throws. Who waits and tries again is `sqlite-outbox.ts`.
 */

import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { DeadLetterTable, type Forgotten } from './dead-letter-table.ts';
import type { DedupRecord } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import { type FileTime, movedDelivery, movedRecord } from './file-time.ts';
import type { DeadLetterBounds } from './outbox.ts';
import { bodyOf, type DeliveryRow, parseRow, stateOf } from './outbox-row.ts';
import { migrate, verify } from './outbox-schema.ts';
import { OutboxFileError } from './storage-fault.ts';

/** `process`: survives the death of the process. `machine`: of the machine too, at the price of a flush per transaction. */
export type Durability = 'process' | 'machine';

export type Write =
  | { readonly kind: 'put'; readonly delivery: Delivery }
  | { readonly kind: 'state'; readonly delivery: Delivery }
  | { readonly kind: 'remove'; readonly messageId: string }
  | { readonly kind: 'bury'; readonly delivery: Delivery }
  /** It is no dead letter any more. */
  | { readonly kind: 'unbury'; readonly messageId: string }
  | { readonly kind: 'fired'; readonly record: DedupRecord }
  /** What was seen of a key since it fired. */
  | { readonly kind: 'seen'; readonly record: DedupRecord }
  | { readonly kind: 'forget'; readonly dedupKey: string }
  /** Forgets dead letters that are too old by now. Every commit writes down a step of the clock. */
  | { readonly kind: 'tidy' };

export interface Contents {
  /** Oldest first. */
  readonly deliveries: readonly Delivery[];
  readonly fired: readonly DedupRecord[];
}

export interface OutboxFileOptions {
  readonly directory: string;
  readonly durability: Durability;
  readonly deadLetters: DeadLetterBounds;
  readonly time: FileTime;
  /** How long to wait for a lock that another process holds. */
  readonly lockTimeoutMs: number;
}

const NOTHING: Forgotten = { size: 0, age: 0 };

export const OUTBOX_FILE = 'outbox.db';

const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  put: 'INSERT OR REPLACE INTO firing (message_id, body) VALUES (?, ?)',
  state: 'INSERT OR REPLACE INTO progress (message_id, state) VALUES (?, ?)',
  remove: 'DELETE FROM firing WHERE message_id = ?',
  removeState: 'DELETE FROM progress WHERE message_id = ?',
  fired: `INSERT OR REPLACE INTO fired (dedup_key, hook, event_type, resource_name, first_seen, last_seen, duplicates)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  seen: 'UPDATE fired SET last_seen = ?, duplicates = ? WHERE dedup_key = ?',
  forget: 'DELETE FROM fired WHERE dedup_key = ?',
  readStep: 'SELECT stepped_ms AS ms FROM clock',
  step: 'UPDATE clock SET stepped_ms = ?',
} as const;

export class OutboxFile {
  readonly path: string;
  readonly deadLetters: DeadLetterTable;
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #time: FileTime;
  /** Which files these were when they were opened: whoever moves one away leaves SQLite writing to nowhere. */
  readonly #identities: ReadonlyMap<string, string>;
  /** As it stands in the file. */
  #steppedMs: number;

  private constructor(path: string, database: DatabaseSync, { deadLetters, time }: OutboxFileOptions) {
    this.path = path;
    this.#database = database;
    this.#time = time;
    this.deadLetters = new DeadLetterTable(database, deadLetters);
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
    const files = [path, `${path}-wal`].map((each) => [each, identity(each)] as const);
    this.#identities = new Map(files.filter(([, known]) => known !== NO_FILE));
    this.#steppedMs = (this.#statements.readStep.get() as { ms: number }).ms;
  }

  /** Throws when the file cannot be used; it is left as it was then. */
  static open(options: OutboxFileOptions): OutboxFile {
    const { directory, durability, lockTimeoutMs } = options;
    const path = join(directory, OUTBOX_FILE);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Made here, and not by SQLite, for its mode: prompts are nobody else's business.
    closeSync(openSync(path, 'a', 0o600));
    const database = new DatabaseSync(path, { timeout: lockTimeoutMs });
    try {
      // Before anything is read: from then on the lock is never given back, and no shared memory is needed beside the file.
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      verify(database);
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === 'machine' ? 'FULL' : 'NORMAL'}`);
      migrate(database);
      // Takes the lock for writing, and finds out now whether it can be written at all.
      database.exec('BEGIN IMMEDIATE; PRAGMA user_version; COMMIT');
      return new OutboxFile(path, database, options);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** What an earlier life left; from here on its times are those of this life's clock. */
  read(): Contents {
    this.#time.resume(this.#steppedMs);
    const rows = this.#database
      .prepare('SELECT body, state FROM firing JOIN progress USING (message_id) ORDER BY firing.rowid')
      .all() as unknown as readonly DeliveryRow[];
    const fired = this.#database.prepare('SELECT * FROM fired ORDER BY first_seen').all() as unknown as FiredRow[];
    const { steppedMs } = this.#time;
    return {
      deliveries: rows.map((row) => movedDelivery(parseRow(row), steppedMs)),
      fired: fired.map((row) => movedRecord(firedRecord(row), steppedMs)),
    };
  }

  /** All of them or, if it throws, none. Returns what was forgotten of the dead letters. */
  commit(writes: readonly Write[]): Forgotten {
    this.#checkIdentity();
    this.#time.look();
    const { steppedMs, now } = this.#time;
    let forgotten = NOTHING;
    this.#statements.begin.run();
    try {
      if (steppedMs !== this.#steppedMs) this.#statements.step.run(steppedMs);
      for (const write of writes) this.#apply(write, steppedMs);
      if (writes.some(({ kind }) => kind === 'bury' || kind === 'tidy')) forgotten = this.deadLetters.prune(now);
      this.#statements.commit.run();
    } catch (error) {
      // Some errors have rolled back already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.deadLetters.recount();
      throw error;
    }
    this.#steppedMs = steppedMs;
    return forgotten;
  }

  /** Whether a commit has something to do of its own accord. */
  get isUntidy(): boolean {
    this.#time.look();
    try {
      return this.#time.steppedMs !== this.#steppedMs || this.deadLetters.isOver(this.#time.now);
    } catch {
      // The commit will tell what is wrong with the file.
      return true;
    }
  }

  close(): void {
    this.#database.close();
  }

  #apply(write: Write, steppedMs: number): void {
    const { put, state, remove, removeState, fired, seen, forget } = this.#statements;
    switch (write.kind) {
      case 'put': {
        const delivery = movedDelivery(write.delivery, -steppedMs);
        put.run(delivery.messageId, bodyOf(delivery));
        state.run(delivery.messageId, stateOf(delivery));
        return;
      }
      case 'state': {
        const delivery = movedDelivery(write.delivery, -steppedMs);
        state.run(delivery.messageId, stateOf(delivery));
        return;
      }
      case 'remove':
        remove.run(write.messageId);
        removeState.run(write.messageId);
        return;
      case 'bury':
        remove.run(write.delivery.messageId);
        removeState.run(write.delivery.messageId);
        this.deadLetters.add(movedDelivery(write.delivery, -steppedMs), this.#time.now);
        return;
      case 'unbury':
        this.deadLetters.remove(write.messageId);
        return;
      case 'fired': {
        const { dedupKey, hook, eventType, resourceName, ...rest } = movedRecord(write.record, -steppedMs);
        fired.run(
          dedupKey,
          hook,
          eventType,
          resourceName,
          whole(rest.firstSeen),
          whole(rest.lastSeen),
          rest.duplicates,
        );
        return;
      }
      case 'seen': {
        const { dedupKey, lastSeen, duplicates } = movedRecord(write.record, -steppedMs);
        seen.run(whole(lastSeen), duplicates, dedupKey);
        return;
      }
      case 'forget':
        forget.run(write.dedupKey);
        return;
      case 'tidy':
    }
  }

  #checkIdentity(): void {
    for (const [path, known] of this.#identities)
      if (identity(path) !== known) throw new OutboxFileError('moved', `${path} is not the file that was opened`);
  }
}

interface FiredRow {
  readonly dedup_key: string;
  readonly hook: string;
  readonly event_type: string;
  readonly resource_name: string;
  readonly first_seen: number;
  readonly last_seen: number;
  readonly duplicates: number;
}

const NO_FILE = 'none';

function identity(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? NO_FILE : `${stat.dev}:${stat.ino}`;
}

function firedRecord(row: FiredRow): DedupRecord {
  return {
    dedupKey: row.dedup_key,
    hook: row.hook,
    eventType: row.event_type,
    resourceName: row.resource_name,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    duplicates: row.duplicates,
  };
}

/** A strict INTEGER column refuses fractions, which some clocks have. */
function whole(ms: number): number {
  return Math.floor(ms);
}
