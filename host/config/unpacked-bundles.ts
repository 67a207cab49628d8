/**
 * Archives unpacked into folders of their own, below `--data` or, without one, in a temporary folder of this process.
 *
 * A folder is called by the SHA-256 of its archive and takes that name when it is complete and on the disk; before that, and while it is taken
 * away, it ends in `.partial`. So a folder with the plain name may be used, whoever was killed when. All work is done one piece at a time, in
 * the background: whoever looks meanwhile is told `working`.
 */

import { constants, rmSync } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import type { ArchiveLimits, Refusal } from './archive-policy.ts';
import { digestOf, refusal, unpackArchive } from './archive-stream.ts';
import type { BundleArchive } from './bundle-search.ts';
import { syncFolder } from './folder-writer.ts';
import { formatDuration } from './units.ts';

export type Unpacked =
  | { readonly kind: 'working' }
  /** `directory`: a real path. `digest`: SHA-256 of the archive. */
  | { readonly kind: 'ok'; readonly directory: string; readonly digest: string }
  /** It stays so until the archive or a limit changes. */
  | { readonly kind: 'refused'; readonly why: Refusal }
  /** The disk's fault: it is tried again at `retryAt`. */
  | { readonly kind: 'failed'; readonly why: Refusal; readonly retryAt: number };

interface Job {
  /** Of the archive and of the limits that it was held against. */
  readonly stamp: string;
  readonly abort: AbortController;
  state: Unpacked;
}

const FOLDER = 'unpacked';
const PARTIAL = '.partial';
const OWN = /^[0-9a-f]{64}(?:\.partial)?$/;
const RETRY_MS = 5_000;
/** The others wait meanwhile. */
const UNPACK_MS = 5 * 60_000;
const WORKING_MS = 250;

export class UnpackedBundles {
  readonly #dataDirectory: string | null;
  readonly #clock: Clock;
  /** By path of the archive. */
  readonly #jobs = new Map<string, Job>();
  #queue: Promise<void> = Promise.resolve();
  /** Real path of the folder of all; null before the first archive. */
  #home: string | null = null;
  #forgetHome: (() => void) | null = null;

  constructor({ dataDirectory, clock }: { readonly dataDirectory: string | null; readonly clock: Clock }) {
    this.#dataDirectory = dataDirectory;
    this.#clock = clock;
  }

  /** Takes all archives there are now: begins with the new ones, gives up those that are not named any more. */
  observe(archives: readonly BundleArchive[], limits: ArchiveLimits): void {
    this.#giveUpAllBut(new Set(archives.map(({ path }) => path)));
    for (const archive of archives) {
      const stamp = [archive.stamp, limits.maxBytes, limits.maxFileBytes].join('\0');
      const last = this.#jobs.get(archive.path);
      const isDue = last?.state.kind === 'failed' && this.#clock.now() >= last.state.retryAt;
      if (last?.stamp === stamp && !isDue) continue;
      last?.abort.abort();
      const job: Job = { stamp, abort: new AbortController(), state: { kind: 'working' } };
      this.#jobs.set(archive.path, job);
      void this.#enqueue(async () => {
        const limit = this.#clock.after(UNPACK_MS, () => job.abort.abort(TOO_SLOW));
        job.state = await this.#unpack(archive.path, limits, job.abort.signal);
        limit.cancel();
      });
    }
  }

  of(archive: BundleArchive): Unpacked {
    return this.#jobs.get(archive.path)?.state ?? { kind: 'working' };
  }

  /** Resolves when all that was begun has come to an end. */
  settled(): Promise<void> {
    return this.#queue;
  }

  /** Milliseconds after which to ask again; null when nothing is under way and nothing is to be tried again. */
  waitMs(): number | null {
    const waits = [...this.#jobs.values()].flatMap(({ state }) => {
      if (state.kind === 'working') return [WORKING_MS];
      return state.kind === 'failed' ? [Math.max(1, state.retryAt - this.#clock.now())] : [];
    });
    return waits.length === 0 ? null : Math.min(...waits);
  }

  /** Takes away every folder that neither `inUse` nor an archive of the last look needs. What cannot be taken away is left to the next time. */
  sweep(inUse: () => Iterable<string>): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#home === null && this.#dataDirectory === null) return;
      const home = this.#home ?? (await realpath(join(this.#dataDirectory ?? '', FOLDER)));
      const held = [...this.#jobs.values()].flatMap(({ state }) => (state.kind === 'ok' ? [state.directory] : []));
      const kept = new Set([...inUse(), ...held]);
      for (const name of (await readdir(home)).filter((found) => OWN.test(found))) {
        if (!kept.has(join(home, name))) await takeAway(join(home, name));
      }
    });
  }

  /** Resolves when nothing is under way any more, and the temporary folder is gone. */
  async close(): Promise<void> {
    this.#giveUpAllBut(new Set());
    await this.#enqueue(async () => this.#forgetHome?.());
  }

  #giveUpAllBut(paths: ReadonlySet<string>): void {
    for (const [path, { abort }] of this.#jobs) {
      if (paths.has(path)) continue;
      abort.abort();
      this.#jobs.delete(path);
    }
  }

  /** Never rejects. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch(() => undefined);
    return this.#queue;
  }

  async #unpack(path: string, limits: ArchiveLimits, signal: AbortSignal): Promise<Unpacked> {
    try {
      signal.throwIfAborted();
      // Not blocking: it may have become a pipe since it was looked at.
      await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const digest = await digestOf(file, { limits, signal });
      const directory = join(await this.#openHome(), digest);
      if (!(await isFolder(directory))) await this.#make(file, { directory, digest, limits, signal });
      return { kind: 'ok', directory, digest };
    } catch (error) {
      if (signal.reason === TOO_SLOW) return { kind: 'refused', why: TOO_SLOW };
      if (signal.aborted) return { kind: 'working' };
      if (error instanceof HostError) return { kind: 'refused', why: refusalOf(error) };
      return { kind: 'failed', why: this.#faultOf(error), retryAt: this.#clock.now() + RETRY_MS };
    }
  }

  async #make(file: FileHandle, { directory, digest, limits, signal }: Making): Promise<void> {
    const partial = `${directory}${PARTIAL}`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    try {
      const unpacked = await unpackArchive(file, { into: partial, limits, signal });
      if (unpacked !== digest) throw refusal(CHANGED);
      await rename(partial, directory);
      await syncFolder(join(directory, '..'));
    } catch (error) {
      await rm(partial, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  async #openHome(): Promise<string> {
    if (this.#dataDirectory !== null) {
      const home = join(this.#dataDirectory, FOLDER);
      await mkdir(home, { recursive: true, mode: 0o700 });
      this.#home = await realpath(home);
    }
    this.#home ??= await this.#openTemporaryHome();
    return this.#home;
  }

  async #openTemporaryHome(): Promise<string> {
    const home = await realpath(await mkdtemp(join(tmpdir(), 'khook-unpacked-')));
    const remove = (): void => rmSync(home, { recursive: true, force: true });
    process.once('exit', remove);
    this.#forgetHome = () => {
      process.off('exit', remove);
      remove();
    };
    return home;
  }

  #faultOf(error: unknown): Refusal {
    const home = this.#home ?? this.#dataDirectory ?? tmpdir();
    const isOfPlace = ['ENOSPC', 'EDQUOT', 'EROFS'].includes(codeOf(error)) || messageOf(error).includes(home);
    const message = isOfPlace
      ? `it cannot be unpacked below '${home}': ${messageOf(error)}`
      : `it cannot be read: ${messageOf(error)}`;
    const fix = isOfPlace ? 'make room there, or let khook write there (--data)' : 'make the file readable for khook';
    return { code: 'HOST_ERR_BUNDLE_UNPACK', message, fix: `${fix}; khook tries again` };
  }
}

interface Making {
  readonly directory: string;
  readonly digest: string;
  readonly limits: ArchiveLimits;
  readonly signal: AbortSignal;
}

const TOO_SLOW: Refusal = {
  code: 'HOST_ERR_BUNDLE_ARCHIVE',
  message: `it could not be unpacked within ${formatDuration(UNPACK_MS)}`,
  fix: 'make it smaller, or give --data a faster disk',
};

const CHANGED: Refusal = {
  code: 'HOST_ERR_BUNDLE_ARCHIVE',
  message: 'it changed while it was unpacked',
  fix: 'copy it again',
};

/** First it loses the name by which it would be taken for complete. */
async function takeAway(path: string): Promise<void> {
  try {
    const doomed = path.endsWith(PARTIAL) ? path : `${path}${PARTIAL}`;
    if (doomed !== path) {
      await rm(doomed, { recursive: true, force: true });
      await rename(path, doomed);
    }
    await rm(doomed, { recursive: true, force: true });
  } catch {}
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function refusalOf(error: HostError): Refusal {
  const { code, message, details } = error;
  return { code: code as Refusal['code'], message, fix: String(details.fix ?? '') };
}
