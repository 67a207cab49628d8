import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { folderFault, grantFault } from '../../../host/config/folder-fault.ts';
import { tempDir } from '../../support/temp-dir.ts';

const isRoot = process.getuid?.() === 0;

/** A folder beside a file that is not in it. */
function granted(t: TestContext): { folder: string; outside: string } {
  const directory = tempDir(t);
  const folder = join(directory, 'folder');
  mkdirSync(join(folder, 'deep/deeper'), { recursive: true });
  const outside = join(directory, 'secret');
  writeFileSync(outside, 'x');
  return { folder, outside };
}

describe('folder fault', () => {
  it('is none of a folder with files, folders, and links that stay in it, as a mounted ConfigMap has them', (t) => {
    const { folder } = granted(t);
    mkdirSync(join(folder, '..2026'));
    writeFileSync(join(folder, '..2026/plugins.yaml'), '');
    symlinkSync('..2026', join(folder, '..data'));
    symlinkSync('..data/plugins.yaml', join(folder, 'plugins.yaml'));
    symlinkSync(folder, join(folder, 'deep/itself'));
    assert.equal(folderFault(folder), null);
  });

  it('is a link out of it, to a file, to a folder, or to what does not exist yet, however deep', (t) => {
    const { folder, outside } = granted(t);
    for (const target of [outside, '/etc', `${folder}-beside`, '../../../../elsewhere', '/proc/self/fd/0']) {
      const link = join(folder, 'deep/deeper/link');
      symlinkSync(target, link);
      assert.equal(folderFault(folder), "holds a link that leads out of it: 'deep/deeper/link'", target);
      rmSync(link);
    }
    assert.equal(folderFault(folder), null);
  });

  it('is a link through a link that stays in it', (t) => {
    const { folder } = granted(t);
    symlinkSync('/etc', join(folder, 'deep/b'));
    symlinkSync('deep/b', join(folder, 'a'));
    assert.match(folderFault(folder) ?? '', /leads out of it/);
  });

  it('is a FIFO, a socket or a device', async (t) => {
    const { folder } = granted(t);
    execFileSync('mkfifo', [join(folder, 'deep/fifo')]);
    assert.equal(folderFault(folder), "holds a FIFO: 'deep/fifo'");
    rmSync(join(folder, 'deep/fifo'));
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(folder, 'socket'), done));
    t.after(() => server.close());
    assert.equal(folderFault(folder), "holds a socket: 'socket'");
    assert.match(folderFault('/dev') ?? '', /holds a (device|link)/);
  });

  it('is none of a folder that cannot be listed or is not there', (t) => {
    assert.equal(folderFault(join(tempDir(t), 'nothing')), null);
  });

  it('is a folder that can be passed through and not listed', { skip: isRoot && 'root may list everything' }, (t) => {
    const { folder } = granted(t);
    const faultOf = (mode: number): string | null => {
      chmodSync(join(folder, 'deep'), mode);
      const fault = folderFault(folder);
      chmodSync(join(folder, 'deep'), 0o755);
      return fault;
    };
    assert.equal(faultOf(0o111), "holds a folder that khook may not list: 'deep'");
    assert.equal(faultOf(0o000), null);
  });

  it('is a bundle with so many files that a link could hide behind them; a granted folder may grow', (t) => {
    const { folder } = granted(t);
    mkdirSync(join(folder, '.git'));
    for (let n = 0; n < 10_001; n += 1) writeFileSync(join(folder, '.git', `${n}`), '');
    assert.equal(folderFault(folder), null);
    assert.equal(folderFault(folder, { isBundle: true }), 'holds more than 10000 files and folders');
  });

  it('of a grant names the folder, be it the bundle or one to read or write', (t) => {
    const { folder, outside } = granted(t);
    symlinkSync(outside, join(folder, 'link'));
    const net = { any: false, listen: [], connect: [] };
    const clean = tempDir(t);
    const fault = `the folder '${folder}' holds a link that leads out of it: 'link'`;
    const of = (directory: string, read: string[], write: string[]): string | null =>
      grantFault({ directory, permissions: { net, read, write, env: [], kubernetes: false } });
    assert.deepEqual(
      [of(folder, [], []), of(clean, [clean, folder], []), of(clean, [], [folder]), of(clean, [clean], [clean])],
      [fault, fault, fault, null],
    );
  });
});
