/** A disk of a few hundred kilobytes of the test's own: full and read-only are then what they are in life. Needs Linux and root. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export const NO_DISKS =
  process.platform === 'linux' && process.getuid?.() === 0 ? false : 'needs Linux and root to mount';

export class SmallDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Null where nothing can be mounted. Unmounted after the test. */
  static mount(t: Pick<TestContext, 'after'>, kilobytes: number): SmallDisk | null {
    const path = realpathSync(mkdtempSync(join(tmpdir(), 'khook-disk-')));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path], { stdio: 'ignore' });
    } catch {
      return null;
    }
    t.after(() => {
      execFileSync('umount', ['-l', path], { stdio: 'ignore' });
      rmSync(path, { recursive: true });
    });
    return new SmallDisk(path);
  }

  grow(kilobytes: number): void {
    execFileSync('mount', ['-o', `remount,size=${kilobytes}k`, this.path], { stdio: 'ignore' });
  }

  remount(mode: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${mode}`, this.path], { stdio: 'ignore' });
  }
}
