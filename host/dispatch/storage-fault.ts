/** What can be wrong with the file of the outbox, told from what SQLite and the file system throw. Pure. */

import { codeOf, messageOf } from '../../ipc/errors.ts';

export const FAULT_KINDS = ['full', 'read-only', 'damaged', 'foreign', 'newer', 'in-use', 'moved', 'io'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface StorageFault {
  readonly kind: FaultKind;
  readonly path: string;
  /** For a person: what happened, where, what to do, and what is lost by doing so. */
  readonly message: string;
}

/** Thrown by the file itself, for what SQLite does not know. */
export class OutboxFileError extends Error {
  readonly fault: FaultKind;

  constructor(fault: FaultKind, message: string) {
    super(message);
    this.name = 'OutboxFileError';
    this.fault = fault;
  }
}

/** Primary result codes: https://sqlite.org/rescode.html */
const OF_SQLITE: Readonly<Record<number, FaultKind>> = {
  3: 'read-only',
  5: 'in-use',
  6: 'in-use',
  7: 'io',
  8: 'read-only',
  9: 'io',
  10: 'io',
  11: 'damaged',
  13: 'full',
  14: 'read-only',
  15: 'io',
  22: 'full',
  23: 'read-only',
  26: 'damaged',
};

const OF_FILE_SYSTEM: Readonly<Record<string, FaultKind>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  ENOTDIR: 'read-only',
  EEXIST: 'read-only',
  ENOENT: 'read-only',
  EISDIR: 'read-only',
  ELOOP: 'read-only',
  EIO: 'io',
  EMFILE: 'io',
  ENFILE: 'io',
  ESTALE: 'io',
};

/** `isKnown`: khook still holds in memory what stands in the file. */
export interface FaultPlace {
  readonly path: string;
  readonly isKnown: boolean;
}

/** Null when the error is none of the file but of khook: waiting does not mend it. */
export function storageFault(error: unknown, place: FaultPlace): StorageFault | null {
  const kind = kindOf(error);
  return kind === null ? null : fault(kind, error, place);
}

/** A file that cannot be opened is at fault, whatever the error. */
export function openingFault(error: unknown, place: FaultPlace): StorageFault {
  return storageFault(error, place) ?? fault('damaged', error, place);
}

/** After these the file is opened anew before the next try: it may be another one by then. */
export function needsReopening(kind: FaultKind): boolean {
  return kind !== 'full' && kind !== 'read-only';
}

function fault(kind: FaultKind, error: unknown, place: FaultPlace): StorageFault {
  return { kind, path: place.path, message: describe(kind, place, messageOf(error)) };
}

function kindOf(error: unknown): FaultKind | null {
  if (error instanceof OutboxFileError) return error.fault;
  const { errcode } = error as { errcode?: unknown };
  if (typeof errcode === 'number') return OF_SQLITE[errcode & 0xff] ?? null;
  return OF_FILE_SYSTEM[codeOf(error)] ?? null;
}

function describe(kind: FaultKind, { path, isKnown }: FaultPlace, cause: string): string {
  const away = isKnown
    ? 'or move it away: khook then writes what it still knows into a new one, and its dead letters are lost'
    : 'or move it away to start with an empty one: firings in it that no agent has had are lost then, and an agent may be called again for what fired within the dedup window';
  switch (kind) {
    case 'full':
      return `The outbox cannot be written: no space is left for ${path}. Nothing is lost; sources wait. Free space on that volume, and khook goes on by itself.`;
    case 'read-only':
      if (/EEXIST|ENOTDIR/.test(cause))
        return `The outbox cannot be written: where the folder of ${path} should be is a file (${cause}). Nothing is lost; sources wait. Move that file away, and khook goes on by itself; or start it with another folder (--data).`;
      return `The outbox cannot be written: ${path} cannot be opened for writing (${cause}). Nothing is lost; sources wait. Make the folder and its files writable for the user that khook runs as, and khook goes on by itself; or start it with another folder (--data).`;
    case 'damaged':
      if (isKnown)
        return `The outbox file ${path} is damaged (${cause}). khook still knows what waits in it: it sets the file aside and writes a new one; the dead letters in it are lost. If no line follows that the outbox works again, move the file away yourself.`;
      return `The outbox file ${path} is damaged (${cause}). khook leaves it as it is, and sources wait. Put a sound copy in its place, ${away}. khook goes on by itself.`;
    case 'foreign':
      return `${path} is a database, but no outbox of khook (${cause}). khook leaves it as it is, and sources wait. Move it away, or start khook with another folder (--data).`;
    case 'newer':
      return `The outbox file ${path} was written by a newer khook (${cause}). khook leaves it as it is, and sources wait. Run that version again, ${away}.`;
    case 'in-use':
      return `The outbox file ${path} is in use by another process (${cause}). Only one host may write to a data folder: stop the other one, or start this one with another folder (--data).`;
    case 'moved':
      return `The outbox file ${path} was moved away or deleted while khook ran. khook writes what it still knows into a new one; the dead letters of the old one are lost.`;
    case 'io':
      return `The outbox cannot be written: ${path} cannot be read or written (${cause}). Nothing is lost; sources wait. Check the volume; khook tries again by itself.`;
  }
}
