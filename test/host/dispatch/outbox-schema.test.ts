import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { APPLICATION_ID, MIGRATIONS, migrate, verify } from '../../../host/dispatch/outbox-schema.ts';

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
