/**
 * Which entries of an archive become files. What `npm pack` makes passes; whatever could lead out of the folder, mean two things, or fill the
 * disk does not, and the archive as a whole is refused. Pure but for its memory of the entries before.
 */

import type { HostErrorCode } from '../base/errors.ts';
import { foldPath, readEntryPath, showEntry } from './archive-path.ts';
import { MAX_BUNDLE_DEPTH, MAX_BUNDLE_FILES } from './bundle-stamp.ts';
import { formatBytes } from './units.ts';

export interface ArchiveLimits {
  /** Of the archive, and of everything in it, headers included. */
  readonly maxBytes: number;
  readonly maxFileBytes: number;
}

/** As its header says; nothing of it is to be trusted. */
export interface ArchiveEntry {
  readonly name: string;
  /** null: of a kind that the reader does not know. */
  readonly type: string | null;
  /** May be no number at all. */
  readonly size: number;
  readonly mode: number;
  /** A pax header says that holes were left out of its content. */
  readonly isSparse: boolean;
}

export type Admission =
  /** `folders`: to be made first, outermost first. Paths are relative to the bundle. */
  | { readonly kind: 'folder'; readonly folders: readonly string[] }
  | {
      readonly kind: 'file';
      readonly folders: readonly string[];
      readonly path: string;
      readonly isExecutable: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface Refusal {
  readonly code: HostErrorCode;
  readonly message: string;
  readonly fix: string;
}

interface Known {
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** Only named in the path of another entry so far. */
  readonly isImplied: boolean;
}

const PACK_AGAIN = "make the archive with 'npm pack'";
const KINDS: Readonly<Record<string, string>> = {
  symlink: 'a symbolic link',
  link: 'a hard link',
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a named pipe',
};

export function refuse(message: string, fix = PACK_AGAIN, code: HostErrorCode = 'HOST_ERR_BUNDLE_ARCHIVE'): Refusal {
  return { code, message, fix };
}

export class ArchivePolicy {
  readonly #limits: ArchiveLimits;
  /** By folded path. */
  readonly #known = new Map<string, Known>();
  /** The one top-level folder; null before the first entry. */
  #top: string | null = null;

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  admit(entry: ArchiveEntry): Admission {
    const shown = showEntry(entry.name);
    const refused = (message: string, fix?: string, code?: HostErrorCode): Admission => ({
      kind: 'refused',
      refusal: refuse(message, fix, code),
    });
    const kind = kindOf(entry);
    if (kind === null) {
      const what = entry.isSparse ? 'a sparse file' : (KINDS[entry.type ?? ''] ?? 'of a kind that khook does not know');
      return refused(`its entry ${shown} is ${what}; only files and folders are unpacked`, 'pack the files themselves');
    }
    const named = readEntryPath(entry.name);
    if (named.kind === 'bad') return refused(`the name of its entry ${shown} ${named.why}`);
    const [top = '', ...parts] = named.parts;
    this.#top ??= top;
    if (top === '' || top !== this.#top || (parts.length === 0 && kind === 'file')) {
      return refused(`its entry ${shown} lies outside; everything must lie in one top-level folder, such as 'package'`);
    }
    if (parts.length === 0) return { kind: 'folder', folders: [] };
    const depth = kind === 'file' ? parts.length - 1 : parts.length;
    if (depth > MAX_BUNDLE_DEPTH) {
      const message = `its folders are nested deeper than ${MAX_BUNDLE_DEPTH}: ${shown}`;
      return refused(message, 'flatten them', 'HOST_ERR_BUNDLE_TOO_LARGE');
    }
    if (entry.size > this.#limits.maxFileBytes) {
      const message = `its entry ${shown} has ${entry.size} bytes; a file may have ${formatBytes(this.#limits.maxFileBytes)}`;
      const fix = 'leave the file out, or raise settings.archives.maxFileSize';
      return refused(message, fix, 'HOST_ERR_BUNDLE_TOO_LARGE');
    }
    // The reader waits for ever for the content of one that has no number.
    if (kind === 'file' && !(Number.isSafeInteger(entry.size) && entry.size >= 0)) {
      return refused(`its entry ${shown} does not say how large it is`);
    }
    return this.#enter(parts, kind, entry);
  }

  /** Notes the entry and the folders that it lies in. */
  #enter(parts: readonly string[], kind: Known['kind'], entry: ArchiveEntry): Admission {
    const folders: string[] = [];
    for (let length = 1; length <= parts.length; length += 1) {
      const path = parts.slice(0, length).join('/');
      const isSelf = length === parts.length;
      const known = this.#known.get(foldPath(path));
      const clash =
        known === undefined ? null : clashOf(known, { path, kind: isSelf ? kind : 'folder', isImplied: !isSelf });
      if (clash !== null) return { kind: 'refused', refusal: refuse(`its entry ${showEntry(entry.name)} ${clash}`) };
      if (known === undefined && !(isSelf && kind === 'file')) folders.push(path);
      if (known === undefined || isSelf) {
        this.#known.set(foldPath(path), { path, kind: isSelf ? kind : 'folder', isImplied: !isSelf });
      }
    }
    if (this.#known.size > MAX_BUNDLE_FILES) {
      const message = `it has more than ${MAX_BUNDLE_FILES} files and folders`;
      const fix = 'bundle the code into few files, or leave out what it does not need at run time';
      return { kind: 'refused', refusal: refuse(message, fix, 'HOST_ERR_BUNDLE_TOO_LARGE') };
    }
    if (kind === 'folder') return { kind, folders };
    return { kind, folders, path: parts.join('/'), isExecutable: (entry.mode & 0o111) !== 0 };
  }
}

function kindOf({ name, type, size, isSparse }: ArchiveEntry): Known['kind'] | null {
  if (type === 'directory') return 'folder';
  if (isSparse || (type !== 'file' && type !== 'contiguous-file')) return null;
  // In the oldest format a folder is a file whose name ends so.
  if (!name.endsWith('/')) return 'file';
  return size === 0 ? 'folder' : null;
}

/** Why both cannot be; null when they are the same folder. Goes on after "its entry 'x'". */
function clashOf(known: Known, seen: Known): string | null {
  if (known.path !== seen.path)
    return `differs from ${showEntry(known.path)} only in case or in how a letter is composed`;
  if (known.kind !== seen.kind) return 'needs a file and a folder of the same name';
  if (known.kind === 'folder' && (known.isImplied || seen.isImplied)) return null;
  return 'comes twice';
}
