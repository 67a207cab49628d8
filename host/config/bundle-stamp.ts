/** What a bundle looks like from outside: a hash over names, sizes and times of its files, bounded, no link followed. */

import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../ipc/errors.ts';

export const MAX_BUNDLE_FILES = 5_000;
export const MAX_BUNDLE_DEPTH = 12;

/** Folders of a bundle that are watched each; what lies deeper is seen when the bundle is read again. */
const MAX_WATCHED_FOLDERS = 64;

export type BundleStamp =
  | {
      readonly kind: 'ok';
      /** Real path. */
      readonly directory: string;
      readonly stamp: string;
      /** Wall-clock milliseconds of the latest change of anything in it; cannot be set back as a modification time can. */
      readonly changedAt: number;
      /** The bundle's own folder and those below it, without node_modules: what to watch. */
      readonly folders: readonly string[];
    }
  | { readonly kind: 'too-large'; readonly directory: string; readonly why: string }
  | { readonly kind: 'gone' };

export async function stampBundle(path: string): Promise<BundleStamp> {
  try {
    const directory = await realpath(path);
    const root = await lstat(directory, { bigint: true });
    if (!root.isDirectory()) return { kind: 'gone' };
    const walk = new Walk(directory, root);
    await walk.visit('', 0);
    if (walk.excess !== null) return { kind: 'too-large', directory, why: walk.excess };
    return { kind: 'ok', directory, stamp: walk.hash(), changedAt: walk.changedAt, folders: walk.folders };
  } catch (error) {
    if (isGone(error)) return { kind: 'gone' };
    throw error;
  }
}

class Walk {
  readonly #root: string;
  readonly #lines: string[] = [];
  readonly folders: string[] = [];
  changedAt = 0;
  excess: string | null = null;

  constructor(root: string, status: BigIntStats) {
    this.#root = root;
    this.#note(status);
  }

  hash(): string {
    const hash = createHash('sha256').update(this.#root);
    for (const line of this.#lines.sort()) hash.update('\n').update(line);
    return hash.digest('hex');
  }

  async visit(folder: string, depth: number): Promise<void> {
    if (depth > MAX_BUNDLE_DEPTH) this.excess ??= `its folders are nested deeper than ${MAX_BUNDLE_DEPTH}: ${folder}`;
    if (this.excess !== null) return;
    const isWatched =
      this.folders.length < MAX_WATCHED_FOLDERS && !folder.split('/').slice(0, -1).includes('node_modules');
    if (isWatched) this.folders.push(join(this.#root, folder));
    for (const name of await unlessGone(readdir(join(this.#root, folder)), [])) {
      if (name !== '.git') await this.#see(folder === '' ? name : `${folder}/${name}`, depth);
      if (this.excess !== null) return;
    }
  }

  async #see(path: string, depth: number): Promise<void> {
    const absolute = join(this.#root, path);
    const status = await unlessGone(lstat(absolute, { bigint: true }), null);
    if (status === null) return;
    this.#note(status);
    if (status.isDirectory()) {
      // Its own time changes with every entry, which the entries tell better; an empty one would be invisible without a line.
      this.#lines.push(`${path}/`);
      await this.visit(path, depth + 1);
      return;
    }
    const target = status.isSymbolicLink() ? await unlessGone(readlink(absolute), '') : '';
    this.#lines.push(`${path}\0${status.size}\0${status.mtimeNs}\0${target}`);
    if (this.#lines.length > MAX_BUNDLE_FILES) this.excess = `it has more than ${MAX_BUNDLE_FILES} files`;
  }

  #note(status: BigIntStats): void {
    this.changedAt = Math.max(this.changedAt, Number(status.ctimeNs / 1_000_000n));
  }
}

/** Files come and go while they are looked at; the next look will tell. */
async function unlessGone<T, Else>(reading: Promise<T>, otherwise: Else): Promise<T | Else> {
  try {
    return await reading;
  } catch (error) {
    if (isGone(error)) return otherwise;
    throw error;
  }
}

export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error));
}
