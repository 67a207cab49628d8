/** The tables of the outbox, and how a file of an older khook becomes one of this. */

import type { DatabaseSync } from 'node:sqlite';
import { OutboxFileError } from './storage-fault.ts';

/** "khok": says to whom a file belongs, also to `file(1)`. */
export const APPLICATION_ID = 0x6b_68_6f_6b;

/**
 * One entry per version of the schema; the n-th makes version n + 1 of version n. What was released is never changed.
 * `firing` is written once; what moves stands in `progress`, so that a long prompt is not written again with every step.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE firing (message_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
   CREATE TABLE progress (message_id TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE dead_letter (id INTEGER PRIMARY KEY, body TEXT NOT NULL, state TEXT NOT NULL) STRICT;
   CREATE TABLE fired (
     dedup_key TEXT PRIMARY KEY, hook TEXT NOT NULL, event_type TEXT NOT NULL, resource_name TEXT NOT NULL,
     first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, duplicates INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  // The prompt last: what is listed is read without it. `clock` has one row, see file-time.ts.
  `CREATE TABLE letter (
     id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, died_at INTEGER NOT NULL, bytes INTEGER NOT NULL,
     hook TEXT NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL, prompt TEXT NOT NULL
   ) STRICT;
   INSERT OR REPLACE INTO letter
     SELECT id, body ->> '$.messageId', CAST(state ->> '$.at' AS INTEGER), length(CAST(body ->> '$.firing.prompt' AS BLOB)) + 1024,
       body ->> '$.firing.hook', (body ->> '$.firing.agent.namespace') || '/' || (body ->> '$.firing.agent.name'),
       state, json_set(body, '$.firing.prompt', ''), body ->> '$.firing.prompt'
     FROM dead_letter ORDER BY id;
   DROP TABLE dead_letter;
   ALTER TABLE letter RENAME TO dead_letter;
   CREATE INDEX dead_letter_died_at ON dead_letter (died_at);
   CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), stepped_ms INTEGER NOT NULL) STRICT;
   INSERT INTO clock VALUES (1, 0);`,
];

/** Throws, and has written nothing, when the file is none that this version may write to. */
export function verify(database: DatabaseSync, migrations: readonly string[] = MIGRATIONS): void {
  const version = readNumber(database, 'user_version');
  const application = readNumber(database, 'application_id');
  const { count } = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number };
  if (application !== APPLICATION_ID && (count > 0 || application !== 0))
    throw new OutboxFileError('foreign', `application_id ${application}, ${count} tables and indices`);
  if (version > migrations.length)
    throw new OutboxFileError('newer', `its schema is version ${version}, this khook knows up to ${migrations.length}`);
  const [found] = database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
  if (found?.quick_check !== 'ok') throw new OutboxFileError('damaged', found?.quick_check ?? 'the check said nothing');
}

/** Each version in a transaction of its own: a crash between two leaves a file that the next start takes further. */
export function migrate(database: DatabaseSync, migrations: readonly string[] = MIGRATIONS): void {
  for (let version = readNumber(database, 'user_version'); version < migrations.length; version += 1) {
    database.exec(
      `BEGIN IMMEDIATE; ${migrations[version]}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}; COMMIT`,
    );
  }
}

function readNumber(database: DatabaseSync, pragma: 'user_version' | 'application_id'): number {
  const row = database.prepare(`PRAGMA ${pragma}`).get() as Record<string, unknown> | undefined;
  return Number(row?.[pragma] ?? 0);
}
