import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { OUTBOX_FILE, OutboxFile } from '../../../host/dispatch/outbox-file.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { NO_DISKS, SmallDisk } from '../../support/small-disk.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { DEAD, delivery, idsIn, type OpenOutbox, openOutbox } from './outbox-support.ts';

const LARGE = { prompt: 'x'.repeat(30_000) };

/** Whether the promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const state = { isSettled: false };
  const note = (): void => {
    state.isSettled = true;
  };
  promise.then(note, note);
  await settle();
  return state.isSettled;
}

function disk(t: TestContext, kilobytes: number): SmallDisk | null {
  const mounted = SmallDisk.mount(t, kilobytes);
  if (mounted === null) t.skip('nothing can be mounted here');
  return mounted;
}

/** Writes until a write waits; how many stand. */
async function fillUp({ outbox, faults }: OpenOutbox): Promise<{ stored: number; waiting: Promise<unknown> }> {
  for (let n = 0; ; n += 1) {
    const waiting = outbox.put([delivery(n, undefined, LARGE)]);
    await Promise.race([waiting, eventually(() => faults.length > 0)]);
    if (faults.length > 0) return { stored: n, waiting };
  }
}

/** A file in which firings stand, closed. */
async function filled(t: TestContext, count: number, changes = LARGE): Promise<string> {
  const directory = tempDir(t);
  const { outbox, close } = await openOutbox(t, directory);
  await outbox.put(Array.from({ length: count }, (_, n) => delivery(n, undefined, changes)));
  await close();
  return directory;
}

/** In place, as a broken disk does: the same files, with other bytes in them. */
function damage(directory: string): void {
  for (const name of [OUTBOX_FILE, `${OUTBOX_FILE}-wal`]) {
    const path = join(directory, name);
    const descriptor = openSync(path, 'r+');
    writeSync(descriptor, Buffer.alloc(statSync(path).size, 0xff), 0);
    closeSync(descriptor);
  }
}

describe('outbox at fault', () => {
  it('waits for space on a full disk, says so once, and goes on by itself without a loss', {
    skip: NO_DISKS,
  }, async (t) => {
    const small = disk(t, 700);
    if (small === null) return;
    const open = await openOutbox(t, small.path);
    const { stored, waiting } = await fillUp(open);
    assert.ok(stored > 3, `${stored} were stored`);
    const later = open.outbox.bury(delivery(0, DEAD));
    assert.equal(open.outbox.fault?.kind, 'full');
    assert.match(open.faults[0]?.message ?? '', /no space is left for .*outbox\.db.*Nothing is lost.*Free space/);
    assert.equal(await isSettled(waiting), false);
    // It sits out more than one try.
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(open.faults.length, 1);
    small.grow(4_000);
    await Promise.all([waiting, later]);
    assert.deepEqual(open.said, ['outbox:opened', 'outbox:fault', 'outbox:recovered']);
    assert.equal(open.outbox.fault, null);
    await open.close();
    const again = await openOutbox(t, small.path);
    assert.equal(again.outbox.size, stored);
    assert.equal(again.outbox.deadLetterCount, 1);
  });

  it('waits while its folder may not be written, from the start too', { skip: NO_DISKS }, async (t) => {
    const small = disk(t, 2_000);
    if (small === null) return;
    const first = await openOutbox(t, small.path);
    await first.outbox.put([delivery(1)]);
    await first.close();
    small.remount('ro');
    const second = await openOutbox(t, small.path);
    assert.equal(second.outbox.fault?.kind, 'read-only');
    assert.match(
      second.faults[0]?.message ?? '',
      /cannot be opened for writing.*Make the folder and its files writable.*--data/,
    );
    const listed = second.outbox.list();
    assert.equal(await isSettled(listed), false);
    await assert.rejects(second.outbox.deadLetters({ limit: 1, hook: null, agent: null }), { code: 'HOST_ERR_OUTBOX' });
    small.remount('rw');
    assert.deepEqual(await listed, [delivery(1)]);
    await second.outbox.put([delivery(2)]);
    assert.deepEqual(await idsIn(second), ['message-1', 'message-2']);
    assert.deepEqual(second.said, ['outbox:fault', 'outbox:opened', 'outbox:recovered']);
  });

  it('leaves a file alone that is no database, and starts empty once it is moved away', async (t) => {
    const directory = tempDir(t);
    const path = join(directory, OUTBOX_FILE);
    const garbage = 'this was an outbox once. '.repeat(1_000);
    writeFileSync(path, garbage);
    const open = await openOutbox(t, directory);
    assert.equal(open.outbox.fault?.kind, 'damaged');
    assert.match(
      open.faults[0]?.message ?? '',
      /outbox\.db is damaged.*move it away to start with an empty one.*are lost then/,
    );
    const written = open.outbox.put([delivery(1)]);
    assert.equal(await isSettled(written), false);
    assert.equal(readFileSync(path, 'utf8'), garbage);
    renameSync(path, `${path}.damaged`);
    await written;
    assert.equal(open.outbox.fault, null);
    assert.deepEqual(await idsIn(open), ['message-1']);
  });

  it('finds damage inside a file at the start, and takes up a sound copy that is put in its place', async (t) => {
    const directory = await filled(t, 20);
    const path = join(directory, OUTBOX_FILE);
    cpSync(path, `${path}.sound`);
    const bytes = readFileSync(path);
    for (let page = 1; page * 4_096 < bytes.length; page += 1) bytes.fill(0xff, page * 4_096, page * 4_096 + 64);
    writeFileSync(path, bytes);
    const open = await openOutbox(t, directory);
    assert.equal(open.outbox.fault?.kind, 'damaged');
    assert.deepEqual(readFileSync(path), bytes);
    renameSync(`${path}.sound`, path);
    assert.equal((await open.outbox.list()).length, 20);
    assert.equal(open.outbox.fault, null);
  });

  it('leaves a file alone that is somebody else’s, or a newer khook’s', async (t) => {
    const foreign = tempDir(t);
    const own = new DatabaseSync(join(foreign, OUTBOX_FILE));
    own.exec('CREATE TABLE recipes (name TEXT)');
    own.close();
    assert.equal((await openOutbox(t, foreign)).outbox.fault?.kind, 'foreign');

    const newer = await filled(t, 3);
    const future = new DatabaseSync(join(newer, OUTBOX_FILE));
    future.exec('PRAGMA user_version = 99');
    future.close();
    const rolledBack = await openOutbox(t, newer);
    assert.equal(rolledBack.outbox.fault?.kind, 'newer');
    assert.match(
      rolledBack.faults[0]?.message ?? '',
      /schema is version 99, this khook knows up to \d+.*Run that version again/,
    );
  });

  it('writes what it knows into a new file when its own is moved away or deleted under it', async (t) => {
    for (const vanish of [
      (path: string) => renameSync(path, `${path}.elsewhere`),
      (path: string) => rmSync(path),
      (path: string) => rmSync(`${path}-wal`),
    ]) {
      const directory = tempDir(t);
      const open = await openOutbox(t, directory);
      await open.outbox.put([delivery(1), delivery(2)]);
      await open.outbox.remove('message-1');
      vanish(join(directory, OUTBOX_FILE));
      await open.outbox.put([delivery(3)]);
      assert.deepEqual(open.said, ['outbox:opened', 'outbox:fault', 'outbox:recovered']);
      assert.match(open.faults[0]?.message ?? '', /was moved away or deleted while khook ran/);
      const fired = await open.outbox.fired();
      await open.close();
      const again = await openOutbox(t, directory);
      assert.deepEqual(await idsIn(again), ['message-2', 'message-3']);
      assert.deepEqual(await again.outbox.fired(), fired);
      assert.equal(fired.length, 3);
      await again.close();
    }
  });

  for (const found of ['a write', 'a read'])
    it(`sets a file aside that ${found} finds damaged while khook runs, and writes what it knows into a new one`, async (t) => {
      const directory = tempDir(t);
      const open = await openOutbox(t, directory);
      const aside: string[] = [];
      open.outbox.events.on('outbox:set-aside', ({ to }) => aside.push(to));
      // More than SQLite holds in its cache: it has to read again what is damaged by then.
      for (let n = 0; n < 200; n += 1) await open.outbox.bury(delivery(1_000 + n, DEAD, LARGE));
      await open.outbox.put([delivery(1), delivery(2)]);
      damage(directory);
      if (found === 'a read') await assert.rejects(open.outbox.deadLetter('message-1000'), { code: 'HOST_ERR_OUTBOX' });
      else await open.outbox.discard('message-1000');
      await eventually(() => open.said.includes('outbox:recovered'));
      assert.deepEqual(open.said, ['outbox:opened', 'outbox:fault', 'outbox:recovered']);
      assert.match(open.faults[0]?.message ?? '', /is damaged.*sets the file aside.*the dead letters in it are lost/);
      assert.equal(aside.length, 1);
      assert.match(aside[0] ?? '', /outbox\.db\.damaged-\d{8}T\d{6}Z$/);
      assert.ok(statSync(aside[0] ?? '').size > 1_000_000, 'it is kept');
      await open.outbox.put([delivery(3)]);
      assert.equal(open.outbox.deadLetterCount, 0);
      await open.close();
      assert.deepEqual(await idsIn(await openOutbox(t, directory)), ['message-1', 'message-2', 'message-3']);
    });

  it('sets no more than three files aside: then a person has to look at the disk', async (t) => {
    const clock = new FakeClock(Date.parse('2026-01-02T03:04:05Z'));
    const directory = tempDir(t);
    const open = await openOutbox(t, directory, { clock });
    const aside: string[] = [];
    open.outbox.events.on('outbox:set-aside', ({ to }) => aside.push(to));
    const malformed = Object.assign(new Error('database disk image is malformed'), { errcode: 11 });
    t.mock.method(OutboxFile, 'open', () => {
      writeFileSync(join(directory, OUTBOX_FILE), 'damaged');
      throw malformed;
    });
    t.mock.method(OutboxFile.prototype, 'commit', () => {
      throw malformed;
    });
    const waiting = open.outbox.put([delivery(1)]);
    waiting.catch(() => undefined);
    await settle();
    await clock.advance(120_000);
    assert.equal(aside.length, 3);
    assert.equal(new Set(aside).size, 3);
    assert.equal(open.outbox.fault?.kind, 'damaged');
    assert.equal(await isSettled(waiting), false);
  });

  it('is no reason to reject a write before khook stops; then those that wait are told, and so is who comes later', async (t) => {
    const clock = new FakeClock();
    const directory = tempDir(t);
    const open = await openOutbox(t, directory, { clock });
    await open.outbox.put([delivery(1)]);
    const full = Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
    const commit = t.mock.method(OutboxFile.prototype, 'commit', () => {
      throw full;
    });
    const waiting = open.outbox.put([delivery(2)]);
    for (let n = 0; n < 20; n += 1) {
      await settle();
      await clock.advance(5_000);
    }
    assert.equal(await isSettled(waiting), false);
    const tries = commit.mock.callCount();
    assert.ok(tries > 15 && tries < 60, `${tries} tries`);
    assert.deepEqual(open.said, ['outbox:opened', 'outbox:fault']);
    open.outbox.release();
    await assert.rejects(waiting, { code: 'HOST_ERR_STOPPING' });
    await assert.rejects(open.outbox.put([delivery(3)]), { code: 'HOST_ERR_STOPPING' });
    assert.equal(open.outbox.size, 1, 'what was not written takes no room');
    commit.mock.restore();
    await open.close();
    assert.equal(clock.pending, 0);
    assert.deepEqual(await idsIn(await openOutbox(t, directory)), ['message-1']);
  });

  it('names another fault when it becomes another, and counts the time from the first', async (t) => {
    const clock = new FakeClock();
    const directory = tempDir(t);
    const path = join(directory, OUTBOX_FILE);
    mkdirSync(path);
    const open = await openOutbox(t, directory, { clock });
    assert.equal(open.outbox.fault?.kind, 'read-only');
    rmSync(path, { recursive: true });
    writeFileSync(path, 'garbage '.repeat(1_000));
    await clock.advance(10_000);
    assert.equal(open.outbox.fault?.kind, 'damaged');
    const recovered = Promise.withResolvers<number>();
    open.outbox.events.on('outbox:recovered', ({ forMs }) => recovered.resolve(forMs));
    rmSync(path);
    await clock.advance(5_000);
    const forMs = await recovered.promise;
    assert.ok(forMs > 10_000 && forMs <= 15_000, String(forMs));
    assert.deepEqual(
      open.faults.map(({ kind }) => kind),
      ['read-only', 'damaged'],
    );
    assert.ok(existsSync(path));
  });
});
