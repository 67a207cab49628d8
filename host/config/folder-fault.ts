/**
 * What is wrong with a folder that a plugin may read or write. Node's permission model follows links out of a granted folder, and
 * whoever opens a FIFO or reads a device may wait in a system call for ever, where no thread can be ended. Looked for before the
 * plugin runs; what somebody puts there afterwards is not seen.
 */

import { accessSync, constants, type Dirent, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { codeOf } from '../../ipc/errors.ts';
import type { PluginSpec } from './plugin-plan.ts';

/** A folder may grow over the years, and its plugin must start all the same: what lies beyond is not looked at. */
const MAX_ENTRIES = 10_000;

/**
 * `directory`: a real path. One sentence part such as `holds a FIFO: 'a/b'`, or null. `isBundle`: whoever made it could hide a link
 * behind as many files as it takes, and a bundle does not grow. Never throws.
 */
export function folderFault(directory: string, { isBundle = false } = {}): string | null {
  let seen = 0;
  const waiting = [directory];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const entries = entriesOf(folder);
    if (entries === null) return `holds a folder that khook may not list: '${relative(directory, folder)}'`;
    for (const entry of entries) {
      seen += 1;
      if (seen > MAX_ENTRIES) return isBundle ? `holds more than ${MAX_ENTRIES} files and folders` : null;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      const fault = entryFault(entry, path, directory);
      if (fault !== null) return `${fault}: '${relative(directory, path)}'`;
    }
  }
  return null;
}

/** The same for all that a plugin would be given: its bundle and its granted folders. A whole sentence, or null. */
export function grantFault({ directory, permissions }: Pick<PluginSpec, 'directory' | 'permissions'>): string | null {
  for (const folder of new Set([directory, ...permissions.read, ...permissions.write])) {
    const fault = folderFault(folder, { isBundle: folder === directory });
    if (fault !== null) return `the folder '${folder}' ${fault}`;
  }
  return null;
}

function entryFault(entry: Dirent, path: string, directory: string): string | null {
  if (entry.isSymbolicLink()) return leadsOut(path, directory) ? 'holds a link that leads out of it' : null;
  if (entry.isFIFO()) return 'holds a FIFO';
  if (entry.isSocket()) return 'holds a socket';
  return entry.isBlockDevice() || entry.isCharacterDevice() ? 'holds a device' : null;
}

/** The links inside a mounted ConfigMap stay in it. Of one whose target does not exist yet counts where it would be. */
function leadsOut(link: string, directory: string): boolean {
  let target: string;
  try {
    target = realpathSync(link);
  } catch {
    target = wouldBe(link);
  }
  return target !== directory && !target.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`);
}

function wouldBe(link: string): string {
  try {
    return resolve(dirname(link), readlinkSync(link));
  } catch {
    return link;
  }
}

/** Null of a folder that hides its entries from khook and not from whoever knows their names. */
function entriesOf(folder: string): readonly Dirent[] | null {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    return codeOf(error) === 'EACCES' && isPassable(folder) ? null : [];
  }
}

function isPassable(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
