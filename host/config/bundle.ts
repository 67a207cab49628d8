/** A bundle opened as data: its manifest, and what is wrong with it. Nothing of it is run. */

import type { BundleArchive, BundleFolder } from './bundle-search.ts';
import { aboutFile } from './bundle-search.ts';
import type { Manifest } from './manifest.ts';
import { type ManifestRead, readManifest } from './manifest-file.ts';
import type { Positioned } from './place.ts';
import type { Problem } from './problem.ts';
import type { Unpacked } from './unpacked-bundles.ts';

export interface Bundle {
  /** Name of its folder or archive in the plugins folder. */
  readonly folder: string;
  /** Real path of its files; of an archive, where it was unpacked. */
  readonly directory: string;
  /** As the user knows it; absent: it came as a folder. */
  readonly archive?: string;
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
  /** What it calls itself, else what its folder or archive is called. */
  readonly name: string;
  readonly version: string;
  readonly problems: readonly Problem[];
}

export interface BundleScan {
  readonly bundles: readonly Bundle[];
  readonly broken: readonly BrokenBundle[];
  readonly problems: readonly Problem[];
}

/** Of two bundles of one name the one that was used before is used (`incumbents`: name → folder), else the first by folder name. */
export function mergeBundles(
  opened: readonly (Bundle | BrokenBundle)[],
  incumbents: ReadonlyMap<string, string> = new Map(),
): BundleScan {
  const bundles = new Map<string, Bundle>();
  const broken: BrokenBundle[] = [];
  const problems: Problem[] = [];
  for (const one of opened) {
    if ('problems' in one) {
      broken.push(one);
      problems.push(...one.problems);
      continue;
    }
    const { name } = one.manifest;
    const other = bundles.get(name);
    const isUsed = other === undefined || incumbents.get(name) === one.folder;
    if (isUsed) bundles.set(name, one);
    if (other !== undefined) problems.push(isUsed ? twice(one, other) : twice(other, one));
  }
  return { bundles: [...bundles.values()], broken, problems };
}

/** Reads the manifest; null when the folder has vanished. */
export function openFolder({ folder, path, stamp }: BundleFolder): Bundle | BrokenBundle | null {
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
  return bundleOf(readManifest(path), { folder, name: folder, directory: stamp.directory, stamp: stamp.stamp });
}

/** The same for what an archive has become. */
export function openArchive(
  { folder, path }: BundleArchive,
  unpacked: Exclude<Unpacked, { kind: 'working' }>,
): Bundle | BrokenBundle | null {
  const name = nameOf(folder);
  if (unpacked.kind === 'ok') {
    const { directory, digest } = unpacked;
    return bundleOf(readManifest(directory, path), { folder, name, directory, archive: path, stamp: digest });
  }
  const { code, message, fix } = unpacked.why;
  const problem = aboutFile(path, { code, message: `the archive cannot be used: ${message}`, fix });
  return { folder, name, version: '', problems: [{ ...problem, subject: name }] };
}

interface Origin {
  readonly folder: string;
  /** For one that does not say its own. */
  readonly name: string;
  readonly directory: string;
  readonly archive?: string;
  readonly stamp: string;
}

function bundleOf(read: ManifestRead, { name, ...origin }: Origin): Bundle | BrokenBundle | null {
  if (read.kind === 'gone') return null;
  if (read.kind === 'ok') {
    const { manifest, entry, file, document } = read;
    return { ...origin, entry, manifest, file, document };
  }
  const subject = read.name ?? name;
  const problems = read.problems.map((problem) => ({ ...problem, subject }));
  return { folder: origin.folder, name: subject, version: read.version, problems };
}

/** The plugin that the archive is named after, as `npm pack` does (`webhook-1.0.0.tgz`); else the file's own name. */
function nameOf(archive: string): string {
  return /^([a-z][a-z0-9-]*?)(?:-\d+\.\d+\.\d+.*)?\.(?:tgz|tar\.gz)$/.exec(archive)?.[1] ?? archive;
}

function twice(used: Bundle, other: Bundle): Problem {
  const { name } = other.manifest;
  const message = `two bundles are named '${name}': '${used.folder}' and '${other.folder}'; '${used.folder}' is used`;
  const fix = `remove one, or give one another "name" in its package.json`;
  return { ...aboutFile(other.file, { code: 'HOST_ERR_BUNDLE_TWICE', message, fix }), path: 'name', subject: name };
}
