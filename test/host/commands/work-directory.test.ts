import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openWorkDirectory } from '../../../host/commands/work-directory.ts';
import { tempDir } from '../../support/temp-dir.ts';

describe('work directory', () => {
  it('is a folder of the data directory that a later host takes again, so that a killed one leaves nothing new', (t) => {
    const data = join(tempDir(t), 'data');
    const first = openWorkDirectory(data);
    const second = openWorkDirectory(data);
    first.remove();
    assert.equal(first.path, join(data, 'empty'));
    assert.equal(second.path, first.path);
    assert.deepEqual(readdirSync(second.path), []);
    assert.equal(statSync(data).mode & 0o777, 0o700);
  });

  it('is a folder of this run, taken away with it, where nothing outlives the process', () => {
    const work = openWorkDirectory(null);
    assert.deepEqual(readdirSync(work.path), []);
    work.remove();
    assert.equal(existsSync(work.path), false);
  });

  it('is never a folder with something in it, nor one that cannot be made', (t) => {
    const data = tempDir(t);
    mkdirSync(join(data, 'empty'));
    writeFileSync(join(data, 'empty', 'secret'), 'x');
    const beside = openWorkDirectory(data);
    t.after(() => beside.remove());
    assert.notEqual(beside.path, join(data, 'empty'));

    writeFileSync(join(data, 'file'), '');
    const elsewhere = openWorkDirectory(join(data, 'file'));
    t.after(() => elsewhere.remove());
    assert.deepEqual(readdirSync(elsewhere.path), []);
  });
});
