/** Writes files into a new folder of khook's own and sees that they are on the disk: nothing is overwritten, nothing followed, no bit set but rwx. */

import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../ipc/errors.ts';

export interface Admitted {
  /** To be made, outermost first. */
  readonly folders: readonly string[];
  /** Absent: only the folders. */
  readonly path?: string;
  readonly isExecutable?: boolean;
}

const FILE_MODE = 0o644;
const PROGRAM_MODE = 0o755;
const FOLDER_MODE = 0o755;
/** How many files are on their way to the disk at once. */
const MAX_FLUSHING = 16;

export class FolderWriter {
  readonly #root: string;
  readonly #folders: string[];
  readonly #flushing = new Set<Promise<void>>();
  /** Of a flush that failed while nobody waited for it. */
  #fault: { readonly error: unknown } | null = null;

  constructor(root: string) {
    this.#root = root;
    this.#folders = [root];
  }

  async write({ folders, path, isExecutable = false }: Admitted, content: AsyncIterable<Uint8Array>): Promise<void> {
    for (const folder of folders) {
      const made = join(this.#root, folder);
      await mkdir(made, { mode: FOLDER_MODE });
      this.#folders.push(made);
    }
    if (path === undefined) return;
    const file = await open(join(this.#root, path), 'wx', isExecutable ? PROGRAM_MODE : FILE_MODE);
    try {
      await file.writeFile(content);
    } catch (error) {
      await file.close();
      throw error;
    }
    const flushing = file
      .sync()
      .finally(() => file.close())
      .catch((error: unknown) => {
        this.#fault ??= { error };
      })
      .finally(() => this.#flushing.delete(flushing));
    this.#flushing.add(flushing);
    if (this.#flushing.size >= MAX_FLUSHING) await Promise.race(this.#flushing);
  }

  /** Resolves when everything would survive a power failure. */
  async finish(): Promise<void> {
    await this.abandon();
    if (this.#fault !== null) throw this.#fault.error;
    for (const folder of this.#folders) await syncFolder(folder);
  }

  /** Resolves when no file is open any more. */
  async abandon(): Promise<void> {
    await Promise.all(this.#flushing);
  }
}

/** So that the names in it are on the disk, and not only what they name; where the file system knows of such a thing. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(codeOf(error))) throw error;
  }
}
