/** The bundles in the plugins folder: found, stamped, and opened as data. Nothing of a bundle is run. */

import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { type BundleStamp, stampBundle } from './bundle-stamp.ts';
import type { Manifest } from './manifest.ts';
import { readManifest } from './manifest-file.ts';
import type { Positioned } from './place.ts';
import type { Problem } from './problem.ts';

export interface Bundle {
  /** Name of its folder in the plugins folder. */
  readonly folder: string;
  /** Real path. */
  readonly directory: string;
  /** Real path of the entry file. */
  readonly entry: string;
  readonly manifest: Manifest;
  /** Changes when a file of the bundle changes. */
  readonly stamp: string;
  /** Its package.json as the user knows it, and the positions in it. */
  readonly file: string;
  readonly document: Positioned | null;
}

export interface BrokenBundle {
  readonly folder: string;
  /** What it calls itself, else the name of its folder. */
  readonly name: string;
  readonly version: string;
  readonly problems: readonly Problem[];
}

export interface BundleFolder {
  readonly folder: string;
  /** As the user knows it. */
  readonly path: string;
  readonly stamp: Exclude<BundleStamp, { kind: 'gone' }>;
}

export interface BundleSearch {
  /** Sorted by folder name. */
  readonly found: readonly BundleFolder[];
  /** About the plugins folder itself. */
  readonly problems: readonly Problem[];
}

export interface BundleScan {
  readonly bundles: readonly Bundle[];
  readonly broken: readonly BrokenBundle[];
  readonly problems: readonly Problem[];
}

/** Every sub-folder, or link to one, whose name does not begin with `.` or `_`. */
export async function findBundles(pluginsDirectory: string): Promise<BundleSearch> {
  let entries: Dirent[];
  try {
    entries = await readdir(pluginsDirectory, { withFileTypes: true });
  } catch (error) {
    return { found: [], problems: [unreadable(pluginsDirectory, error)] };
  }
  const names = entries
    .filter((entry) => !/^[._]/.test(entry.name) && (entry.isDirectory() || entry.isSymbolicLink()))
    .map((entry) => entry.name)
    .sort();
  const found: BundleFolder[] = [];
  const problems: Problem[] = [];
  for (const folder of names) {
    const path = join(pluginsDirectory, folder);
    try {
      // A link to a file, or to nothing, is no bundle.
      if (!(await isFolder(path))) continue;
      const stamp = await stampBundle(path);
      if (stamp.kind !== 'gone') found.push({ folder, path, stamp });
    } catch (error) {
      const message = `the bundle cannot be read: ${messageOf(error)}`;
      problems.push(
        aboutFile(path, { code: 'HOST_ERR_BUNDLE_MANIFEST', message, fix: 'make the folder readable for khook' }),
      );
    }
  }
  return { found, problems };
}

/** Of two bundles of one name the first by folder name wins. */
export function mergeBundles(opened: readonly (Bundle | BrokenBundle)[]): BundleScan {
  const bundles = new Map<string, Bundle>();
  const broken: BrokenBundle[] = [];
  const problems: Problem[] = [];
  for (const one of opened) {
    if ('problems' in one) {
      broken.push(one);
      problems.push(...one.problems);
      continue;
    }
    const first = bundles.get(one.manifest.name);
    if (first === undefined) bundles.set(one.manifest.name, one);
    else problems.push(twice(first, one));
  }
  return { bundles: [...bundles.values()], broken, problems };
}

/** All that is there now, whether it has stopped growing or not. */
export async function scanBundles(pluginsDirectory: string): Promise<BundleScan> {
  const search = await findBundles(pluginsDirectory);
  const scan = mergeBundles(search.found.map(openBundle).filter((opened) => opened !== null));
  return { ...scan, problems: [...search.problems, ...scan.problems] };
}

/** Reads the manifest; null when the folder has vanished. */
export function openBundle({ folder, path, stamp }: BundleFolder): Bundle | BrokenBundle | null {
  if (stamp.kind === 'too-large') {
    const fix = 'bundle the code into few files, or leave out what it does not need at run time';
    const message = `the bundle is too large: ${stamp.why}`;
    return {
      folder,
      name: folder,
      version: '',
      problems: [aboutFile(path, { code: 'HOST_ERR_BUNDLE_TOO_LARGE', message, fix })],
    };
  }
  const read = readManifest(path);
  if (read.kind === 'gone') return null;
  if (read.kind === 'bad') {
    const problems = read.problems.map((problem) => ({ ...problem, subject: read.name ?? folder }));
    return { folder, name: read.name ?? folder, version: read.version, problems };
  }
  const { manifest, entry, file, document } = read;
  return { folder, directory: stamp.directory, entry, manifest, stamp: stamp.stamp, file, document };
}

function twice(first: Bundle, second: Bundle): Problem {
  const { name } = second.manifest;
  const message = `two bundles are named '${name}': the folders '${first.folder}' and '${second.folder}'; the first one is used`;
  const fix = `remove one, or give one another "name" in its package.json`;
  return { ...aboutFile(second.file, { code: 'HOST_ERR_BUNDLE_TWICE', message, fix }), path: 'name', subject: name };
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

function aboutFile(file: string, text: Pick<Problem, 'code' | 'message' | 'fix'>): Problem {
  return { ...text, file, line: null, column: null, path: '', subject: '' };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
