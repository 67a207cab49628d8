import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Delivery, DeliveryState } from '../../../host/dispatch/delivery.ts';
import { DEAD_LETTER_BOUNDS } from '../../../host/dispatch/outbox.ts';
import { OUTBOX_FILE, OutboxFile } from '../../../host/dispatch/outbox-file.ts';
import { codeOf } from '../../../ipc/errors.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { ALL } from './dispatch-rig.ts';
import { DEAD, delivery, idsIn, openOutbox } from './outbox-support.ts';

/** As it is listed. */
const letter = (n: number): Delivery => delivery(n, DEAD, { prompt: '' });
const FOLLOWING: DeliveryState = { kind: 'following', attempt: 1, taskId: 't', since: 7 };

test('sqlite outbox: what stands in it is there in the next life, in order, in its last state', async (t) => {
  const directory = tempDir(t);
  const first = await openOutbox(t, directory);
  await first.outbox.put([1, 2, 3].map((n) => delivery(n)));
  await first.outbox.update(delivery(2, FOLLOWING));
  await first.outbox.remove('message-1');
  await first.close();
  const second = await openOutbox(t, directory);
  assert.deepEqual(await second.outbox.list(), [delivery(2, FOLLOWING), delivery(3)]);
  assert.equal(second.outbox.size, 2);
  assert.deepEqual(second.said, ['outbox:opened']);
});

test('sqlite outbox: an update or a removal of what does not stand in it changes nothing', async (t) => {
  const { outbox } = await openOutbox(t, tempDir(t));
  await outbox.update(delivery(1, FOLLOWING));
  await outbox.remove('message-1');
  assert.deepEqual(await outbox.list(), []);
});

test('sqlite outbox: a dead letter is one in the next life too; the newest come first and the oldest give way', async (t) => {
  const directory = tempDir(t);
  const first = await openOutbox(t, directory, { deadLetters: { ...DEAD_LETTER_BOUNDS, maxCount: 2 } });
  await first.outbox.put([delivery(2), delivery(3)]);
  // Of those that found no room, too.
  for (const n of [1, 3, 2]) await first.outbox.bury(delivery(n, DEAD));
  assert.equal(first.outbox.deadLetterCount, 2);
  await first.close();
  const second = await openOutbox(t, directory, { deadLetters: { ...DEAD_LETTER_BOUNDS, maxCount: 2 } });
  assert.deepEqual(await second.outbox.deadLetters(ALL), [letter(2), letter(3)]);
  assert.deepEqual(await second.outbox.deadLetters({ ...ALL, limit: 1 }), [letter(2)]);
  assert.equal(second.outbox.deadLetterCount, 2);
  assert.deepEqual(await second.outbox.list(), []);
});

test('sqlite outbox: a key that fired is known in the next life until it is forgotten, with what was seen of it since', async (t) => {
  const directory = tempDir(t);
  const first = await openOutbox(t, directory);
  await first.outbox.put([delivery(1), delivery(2), delivery(3)]);
  await first.outbox.remove('message-1');
  first.outbox.forget('key-2');
  const [seen] = await first.outbox.fired();
  assert.ok(seen !== undefined);
  first.outbox.refresh([
    { ...seen, lastSeen: 9_000, duplicates: 4 },
    { ...seen, dedupKey: 'never fired', lastSeen: 9_000 },
  ]);
  await first.close();
  const second = await openOutbox(t, directory);
  assert.deepEqual(await second.outbox.fired(), [
    { ...seen, dedupKey: 'key-1', firstSeen: 1_001, lastSeen: 9_000, duplicates: 4 },
    { ...seen, dedupKey: 'key-3', resourceName: 'pod-3', firstSeen: 1_003, lastSeen: 1_003, duplicates: 0 },
  ]);
});

test('sqlite outbox: the writes of one turn share one transaction', async (t) => {
  const commits = t.mock.method(OutboxFile.prototype, 'commit');
  const { outbox } = await openOutbox(t, tempDir(t));
  await Promise.all([outbox.put([delivery(1)]), outbox.put([delivery(2)]), outbox.bury(delivery(3, DEAD))]);
  assert.equal(commits.mock.callCount(), 1);
});

test('sqlite outbox: a write that is itself at fault is rejected and takes no other with it', async (t) => {
  const { outbox, faults } = await openOutbox(t, tempDir(t));
  // A strict column takes no number.
  const broken = { ...delivery(2), messageId: Number.NaN as unknown as string };
  const results = await Promise.allSettled([
    outbox.put([delivery(1)]),
    outbox.put([broken]),
    outbox.put([delivery(3)]),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(await idsIn({ outbox }), ['message-1', 'message-3']);
  assert.equal(outbox.size, 2);
  assert.deepEqual(faults, []);
});

test('sqlite outbox: its folder and its file are nobody else’s business', async (t) => {
  const directory = join(tempDir(t), 'a/b');
  const { outbox } = await openOutbox(t, directory);
  await outbox.put([delivery(1)]);
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  assert.equal(mode(directory), '700');
  for (const name of [OUTBOX_FILE, `${OUTBOX_FILE}-wal`]) assert.equal(mode(join(directory, name)), '600', name);
});

test('sqlite outbox: a second one on the same folder is refused, and says what to do', async (t) => {
  const directory = tempDir(t);
  const first = await openOutbox(t, directory);
  await first.outbox.put([delivery(1)]);
  await assert.rejects(openOutbox(t, directory), (error: Error) => {
    assert.equal(codeOf(error), 'HOST_ERR_DATA_IN_USE');
    assert.match(error.message, /outbox\.db is in use by another process.*stop the other one.*--data/);
    return true;
  });
  await first.outbox.put([delivery(2)]);
  await first.close();
  assert.deepEqual(await idsIn(await openOutbox(t, directory)), ['message-1', 'message-2']);
});

test('sqlite outbox: is closed without a loss in the turn of a write, and takes nothing afterwards', async (t) => {
  const directory = tempDir(t);
  const first = await openOutbox(t, directory);
  const written = first.outbox.put([delivery(1)]);
  await first.close();
  await written;
  await assert.rejects(first.outbox.put([delivery(2)]), { code: 'HOST_ERR_STOPPING' });
  assert.deepEqual(await idsIn(await openOutbox(t, directory)), ['message-1']);
});

test('sqlite outbox: holds after any order of writes and lives what a map would hold', async (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('put', 'update', 'remove', 'bury'), n: fc.nat(5) }),
    fc.constant({ kind: 'restart', n: 0 }),
  );
  const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (script) => {
    const directory = tempDir(t);
    let open = await openOutbox(t, directory);
    const model = new Map<string, object>();
    let dead: string[] = [];
    const waits: Promise<unknown>[] = [];
    for (const { kind, n } of script) {
      const { outbox } = open;
      const id = `message-${n}`;
      if (kind === 'put' && !model.has(id)) {
        model.set(id, delivery(n));
        waits.push(outbox.put([delivery(n)]));
      } else if (kind === 'update') {
        if (model.has(id)) model.set(id, delivery(n, FOLLOWING));
        waits.push(outbox.update(delivery(n, FOLLOWING)));
      } else if (kind === 'remove') {
        model.delete(id);
        waits.push(outbox.remove(id));
      } else if (kind === 'bury') {
        model.delete(id);
        // One letter for each id: the last burial counts.
        dead = [id, ...dead.filter((each) => each !== id)];
        waits.push(outbox.bury(delivery(n, DEAD)));
      } else if (kind === 'restart') {
        await open.close();
        open = await openOutbox(t, directory);
      }
    }
    await Promise.all(waits.splice(0));
    await open.close();
    const last = await openOutbox(t, directory);
    assert.deepEqual([...(await last.outbox.list())].sort(byId), [...model.values()].sort(byId));
    assert.deepEqual(
      (await last.outbox.deadLetters(ALL)).map(({ messageId }) => messageId),
      dead,
    );
    await last.close();
  });
  await fc.assert(property, { numRuns: 25 });
});

function byId(a: object, b: object): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
