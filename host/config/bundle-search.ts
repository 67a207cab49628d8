/** What lies in the plugins folder: bundles as folders and as archives, each with a stamp. Nothing of them is opened. */

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { type BundleStamp, isGone, stampBundle } from './bundle-stamp.ts';
import type { Problem } from './problem.ts';

export interface BundleFolder {
  readonly kind: 'folder';
  /** Its name in the plugins folder. */
  readonly folder: string;
  /** As the user knows it. */
  readonly path: string;
  readonly stamp: Exclude<BundleStamp, { kind: 'gone' }>;
}

export interface BundleArchive {
  readonly kind: 'archive';
  /** Its name in the plugins folder. */
  readonly folder: string;
  /** As the user knows it. */
  readonly path: string;
  /** Changes when the file may have changed. */
  readonly stamp: string;
  /** Wall-clock milliseconds of its latest change. */
  readonly changedAt: number;
}

export type FoundBundle = BundleFolder | BundleArchive;

export interface BundleSearch {
  /** Sorted by name. */
  readonly found: readonly FoundBundle[];
  /** About the plugins folder itself, and what in it cannot be read. */
  readonly problems: readonly Problem[];
}

const ARCHIVE = /\.(?:tgz|tar\.gz)$/i;

/** Every sub-folder and every archive, or link to one, whose name does not begin with `.` or `_`. */
export async function findBundles(pluginsDirectory: string): Promise<BundleSearch> {
  let entries: Dirent[];
  try {
    entries = await readdir(pluginsDirectory, { withFileTypes: true });
  } catch (error) {
    return { found: [], problems: [unreadable(pluginsDirectory, error)] };
  }
  const names = entries
    .filter((entry) => !/^[._]/.test(entry.name) && mayBeBundle(entry))
    .map((entry) => entry.name)
    .sort();
  const found: FoundBundle[] = [];
  const problems: Problem[] = [];
  for (const name of names) {
    const path = join(pluginsDirectory, name);
    try {
      const bundle = await look(name, path);
      if (bundle !== null) found.push(bundle);
    } catch (error) {
      const message = `the bundle cannot be read: ${messageOf(error)}`;
      problems.push(aboutFile(path, { code: 'HOST_ERR_BUNDLE_MANIFEST', message, fix: 'make it readable for khook' }));
    }
  }
  return { found, problems };
}

function mayBeBundle(entry: Dirent): boolean {
  return entry.isDirectory() || entry.isSymbolicLink() || (entry.isFile() && ARCHIVE.test(entry.name));
}

/** null: a link to another kind of file, or to nothing; or it has vanished. */
async function look(folder: string, path: string): Promise<FoundBundle | null> {
  const archive = ARCHIVE.test(folder) ? await lookAtFile(folder, path) : null;
  if (archive !== null || !(await isFolder(path))) return archive;
  const stamp = await stampBundle(path);
  return stamp.kind === 'gone' ? null : { kind: 'folder', folder, path, stamp };
}

async function lookAtFile(folder: string, path: string): Promise<BundleArchive | null> {
  try {
    const status = await stat(path, { bigint: true });
    if (!status.isFile()) return null;
    const { dev, ino, size, mtimeNs, ctimeNs } = status;
    const stamp = [await realpath(path), dev, ino, size, mtimeNs, ctimeNs].join('\0');
    return { kind: 'archive', folder, path, stamp, changedAt: Number(ctimeNs / 1_000_000n) };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function unreadable(pluginsDirectory: string, error: unknown): Problem {
  const isMissing = codeOf(error) === 'ENOENT';
  const message = isMissing
    ? `the plugins folder '${pluginsDirectory}' does not exist, so there is no plugin to run`
    : `the plugins folder '${pluginsDirectory}' cannot be read: ${messageOf(error)}`;
  const fix = isMissing
    ? 'create it, or name another one in settings.pluginDirectory'
    : 'it must be a folder that khook may read';
  return aboutFile(pluginsDirectory, { code: 'HOST_ERR_CONFIG_FILE', message, fix });
}

export function aboutFile(file: string, text: Pick<Problem, 'code' | 'message' | 'fix'>): Problem {
  return { ...text, file, line: null, column: null, path: '', subject: '' };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
