/**
 * The file of the outbox, open: one connection that holds the file's lock as long as it lives, and so ends with the process however
 * that ends. Synchronous, on the host's thread; throws what SQLite throws. Who waits and tries again is `sqlite-outbox.ts`.
 */

import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { messageOf } from '../../ipc/errors.ts';
import type { Firing } from '../match/verdict.ts';
import type { DedupRecord } from './dedup.ts';
import type { Delivery, DeliveryState } from './delivery.ts';
import { migrate, verify } from './outbox-schema.ts';
import { OutboxFileError } from './storage-fault.ts';

/** `process`: survives the death of the process. `machine`: of the machine too, at the price of a flush per transaction. */
export type Durability = 'process' | 'machine';

export type Write =
  | { readonly kind: 'put'; readonly delivery: Delivery }
  | { readonly kind: 'state'; readonly delivery: Delivery }
  | { readonly kind: 'remove'; readonly messageId: string }
  | { readonly kind: 'bury'; readonly delivery: Delivery }
  | { readonly kind: 'fired'; readonly record: DedupRecord }
  | { readonly kind: 'forget'; readonly dedupKey: string };

export interface Contents {
  /** Oldest first. */
  readonly deliveries: readonly Delivery[];
  readonly fired: readonly DedupRecord[];
  readonly deadLetterCount: number;
}

export interface OutboxFileOptions {
  readonly directory: string;
  readonly durability: Durability;
  readonly maxDeadLetters: number;
  /** How long to wait for a lock that another process holds. */
  readonly lockTimeoutMs: number;
}

export const OUTBOX_FILE = 'outbox.db';

const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  put: 'INSERT OR REPLACE INTO firing (message_id, body) VALUES (?, ?)',
  state: 'INSERT OR REPLACE INTO progress (message_id, state) VALUES (?, ?)',
  remove: 'DELETE FROM firing WHERE message_id = ?',
  removeState: 'DELETE FROM progress WHERE message_id = ?',
  bury: 'INSERT INTO dead_letter (body, state) VALUES (?, ?)',
  prune: 'DELETE FROM dead_letter WHERE id <= (SELECT id FROM dead_letter ORDER BY id DESC LIMIT 1 OFFSET ?)',
  fired: `INSERT OR REPLACE INTO fired (dedup_key, hook, event_type, resource_name, first_seen, last_seen, duplicates)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  forget: 'DELETE FROM fired WHERE dedup_key = ?',
  deadLetters: 'SELECT body, state FROM dead_letter ORDER BY id DESC LIMIT ?',
  deadLetterCount: 'SELECT count(*) AS count FROM dead_letter',
} as const;

export class OutboxFile {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #maxDeadLetters: number;
  /** Which files these were when they were opened: whoever moves one away leaves SQLite writing to nowhere. */
  readonly #identities: ReadonlyMap<string, string>;

  private constructor(path: string, database: DatabaseSync, maxDeadLetters: number) {
    this.path = path;
    this.#database = database;
    this.#maxDeadLetters = maxDeadLetters;
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
    const files = [path, `${path}-wal`].map((each) => [each, identity(each)] as const);
    this.#identities = new Map(files.filter(([, known]) => known !== NO_FILE));
  }

  /** Throws when the file cannot be used; it is left as it was then. */
  static open({ directory, durability, maxDeadLetters, lockTimeoutMs }: OutboxFileOptions): OutboxFile {
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
      return new OutboxFile(path, database, maxDeadLetters);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  read(): Contents {
    const rows = this.#database
      .prepare('SELECT body, state FROM firing JOIN progress USING (message_id) ORDER BY firing.rowid')
      .all() as unknown as readonly FiringRow[];
    const fired = this.#database.prepare('SELECT * FROM fired ORDER BY first_seen').all() as unknown as FiredRow[];
    return {
      deliveries: rows.map(parse),
      fired: fired.map(firedRecord),
      deadLetterCount: this.deadLetterCount,
    };
  }

  /** All of them or, if it throws, none. */
  commit(writes: readonly Write[]): void {
    this.#checkIdentity();
    this.#statements.begin.run();
    try {
      for (const write of writes) this.#apply(write);
      if (writes.some(({ kind }) => kind === 'bury')) this.#statements.prune.run(this.#maxDeadLetters);
      this.#statements.commit.run();
    } catch (error) {
      // Some errors have rolled back already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  get deadLetterCount(): number {
    return (this.#statements.deadLetterCount.get() as { count: number }).count;
  }

  /** Newest first. */
  deadLetters(limit: number): readonly Delivery[] {
    return (this.#statements.deadLetters.all(limit) as unknown as readonly FiringRow[]).map(parse);
  }

  close(): void {
    this.#database.close();
  }

  #apply(write: Write): void {
    const { put, state, remove, removeState, bury, fired, forget } = this.#statements;
    switch (write.kind) {
      case 'put':
        put.run(write.delivery.messageId, bodyOf(write.delivery));
        state.run(write.delivery.messageId, JSON.stringify(write.delivery.state));
        return;
      case 'state':
        state.run(write.delivery.messageId, JSON.stringify(write.delivery.state));
        return;
      case 'remove':
        remove.run(write.messageId);
        removeState.run(write.messageId);
        return;
      case 'bury':
        remove.run(write.delivery.messageId);
        removeState.run(write.delivery.messageId);
        bury.run(bodyOf(write.delivery), JSON.stringify(write.delivery.state));
        return;
      case 'fired': {
        const { dedupKey, hook, eventType, resourceName, firstSeen, lastSeen, duplicates } = write.record;
        fired.run(dedupKey, hook, eventType, resourceName, whole(firstSeen), whole(lastSeen), duplicates);
        return;
      }
      case 'forget':
        forget.run(write.dedupKey);
    }
  }

  #checkIdentity(): void {
    for (const [path, known] of this.#identities)
      if (identity(path) !== known) throw new OutboxFileError('moved', `${path} is not the file that was opened`);
  }
}

interface FiringRow {
  readonly body: string;
  readonly state: string;
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

/** Where the event stood in its frame means nothing in a later life. */
function bodyOf({ messageId, contextId, eventId, acceptedAt, firing }: Delivery): string {
  const kept: Firing = { ...firing, index: 0, repeats: [] };
  return JSON.stringify({ messageId, contextId, eventId, acceptedAt, firing: kept });
}

function parse({ body, state }: FiringRow): Delivery {
  try {
    return { ...(JSON.parse(body) as Omit<Delivery, 'state'>), state: JSON.parse(state) as DeliveryState };
  } catch (error) {
    throw new OutboxFileError('damaged', `a firing in it cannot be read: ${messageOf(error)}`);
  }
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
