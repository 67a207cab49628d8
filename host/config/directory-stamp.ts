/** A cheap look at one folder: names, identities, sizes and times of what lies in it directly. Links are followed. */

import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Of a larger folder only so many entries are looked at, though all names count. */
const MAX_ENTRIES = 1_000;

export interface DirectoryStamp {
  /** Which folder it is: another one under the same path must be watched anew. Empty when there is none. */
  readonly identity: string;
  readonly stamp: string;
}

export async function stampDirectory(directory: string): Promise<DirectoryStamp> {
  try {
    const [real, status, names] = await Promise.all([
      realpath(directory),
      stat(directory, { bigint: true }),
      readdir(directory),
    ]);
    const hash = createHash('sha256');
    names.sort();
    const seen = await Promise.all(names.slice(0, MAX_ENTRIES).map((name) => describe(join(directory, name))));
    for (const [index, name] of names.entries()) hash.update(`${name}\0${seen[index] ?? ''}\n`);
    return { identity: `${real}:${status.dev}:${status.ino}`, stamp: hash.digest('hex') };
  } catch {
    return { identity: '', stamp: '' };
  }
}

async function describe(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'gone';
  }
}
