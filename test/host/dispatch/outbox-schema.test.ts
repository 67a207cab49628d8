import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { DeadLetterTable } from '../../../host/dispatch/dead-letter-table.ts';
import { bytesOf } from '../../../host/dispatch/delivery.ts';
import { DEAD_LETTER_BOUNDS } from '../../../host/dispatch/outbox.ts';
import { APPLICATION_ID, MIGRATIONS, migrate, verify } from '../../../host/dispatch/outbox-schema.ts';
import { DEAD, delivery } from './outbox-support.ts';

const NEXT = [...MIGRATIONS, 'ALTER TABLE dead_letter ADD COLUMN note TEXT; CREATE TABLE more (n INTEGER) STRICT'];

function versionOf(database: DatabaseSync): unknown {
  return database.prepare('PRAGMA user_version').get()?.user_version;
}

test('outbox schema: a file of an older version becomes one of this and keeps what stands in it', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  database.exec("INSERT INTO firing VALUES ('m', '{}')");
  verify(database, NEXT);
  migrate(database, NEXT);
  assert.equal(versionOf(database), MIGRATIONS.length + 1);
  assert.equal(database.prepare('PRAGMA application_id').get()?.application_id, APPLICATION_ID);
  assert.equal(database.prepare('SELECT count(*) AS n FROM firing').get()?.n, 1);
  assert.equal(database.prepare('SELECT count(*) AS n FROM more').get()?.n, 0);
  migrate(database, NEXT);
  database.close();
});

test('outbox schema: dead letters of the first version are found by their ids, with their prompts', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database, MIGRATIONS.slice(0, 1));
  const put = database.prepare('INSERT INTO dead_letter (body, state) VALUES (?, ?)');
  for (const n of [1, 2, 3]) {
    const { state, ...body } = delivery(n, DEAD, { prompt: 'Ä look' });
    put.run(JSON.stringify(body), JSON.stringify(state));
  }
  verify(database);
  migrate(database);
  const table = new DeadLetterTable(database, DEAD_LETTER_BOUNDS);
  assert.equal(table.count, 3);
  assert.deepEqual(table.find('message-2', 0), delivery(2, DEAD, { prompt: 'Ä look' }));
  const listed = table.list({ limit: 10, hook: 'kagent/crashes', agent: 'kagent/k8s-agent' }, 0);
  assert.deepEqual(
    listed.map(({ messageId }) => messageId),
    ['message-3', 'message-2', 'message-1'],
  );
  const bytes = database.prepare('SELECT sum(bytes) AS bytes FROM dead_letter').get()?.bytes;
  assert.equal(bytes, 3 * bytesOf(delivery(1, DEAD, { prompt: 'Ä look' })));
  database.close();
});

test('outbox schema: a step that fails leaves the version before it, whole', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  const broken = [...MIGRATIONS, 'CREATE TABLE half (n INTEGER) STRICT; CREATE TABLE half (n INTEGER) STRICT'];
  assert.throws(() => migrate(database, broken), /already exists/);
  database.exec('ROLLBACK');
  assert.equal(versionOf(database), MIGRATIONS.length);
  assert.equal(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'").get()?.n, 0);
  verify(database);
  migrate(database, NEXT);
  assert.equal(versionOf(database), MIGRATIONS.length + 1);
  database.close();
});
