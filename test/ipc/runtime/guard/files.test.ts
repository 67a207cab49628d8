import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { tempDir } from '../../../support/temp-dir.ts';
import { type Attempted, attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';
const SECRET = 'host secret';

describe('guard: files', () => {
  it("a plain worker reads and writes the host's open files", async (t) => {
    const plain = results(await run(t, false));
    assert.deepEqual(plain, {
      ...plain,
      fstatSync: true,
      readSync: SECRET,
      readFileSync: SECRET,
      'read with a callback': SECRET,
      'a read stream': SECRET,
      'a write stream': 'written',
      writeSync: 0,
      'a planted number in a handle': SECRET,
      'an own fd property of a handle': SECRET,
      'the class of the native handle': true,
      'more files than granted': 40,
      'more handles than granted': 40,
      'more folders than granted': 40,
      'more folders of promises than granted': 40,
      'a file as a Blob': 6,
    });
  });

  it('belong to the thread that opened them, and are counted', async (t) => {
    const guarded = results(await run(t, true));
    const given = guarded['readFile with a callback'];
    assert.ok(given !== SECRET && given !== '', 'the error is one of Node’s own making');
    assert.deepEqual(guarded, {
      fstatSync: 'EBADF',
      readSync: 'EBADF',
      readFileSync: 'EBADF',
      'read with a callback': 'EBADF',
      'readFile with a callback': given,
      'a read stream': 'EBADF',
      'a write stream': 'EBADF',
      writeSync: 'EBADF',
      'closeSync of an unknown number': 'EBADF',
      'a planted number in a handle': 'my own',
      'an own fd property of a handle': 'no code',
      'something that looks like a handle': REFUSED,
      'a handle that becomes one later': REFUSED,
      'the class of the native handle': false,
      'net.Socket of a number': 'ERR_INVALID_FD_TYPE',
      'tty of a number': REFUSED,
      'a number that was its own': 'EBADF',
      'a file that is closed while it is read': 'EBUSY',
      'more files than granted': 'EMFILE',
      'more handles than granted': 16,
      'more folders than granted': 'EMFILE',
      'more folders of promises than granted': 16,
      'a file as a Blob': REFUSED,
      'many short reads at once': 100,
    });
  });
});

async function run(t: TestContext, isGuarded: boolean): Promise<Attempted> {
  const host = join(tempDir(t), 'secret.txt');
  const directory = tempDir(t);
  writeFileSync(host, SECRET);
  writeFileSync(join(directory, 'own.txt'), 'my own');
  const fd = openSync(host, 'r+');
  t.after(() => closeSync(fd));
  const folder = [`${directory}/`];
  return await attempt(t, 'files', { isGuarded, facts: { fd, directory }, hasNet: true, read: folder, write: folder });
}
