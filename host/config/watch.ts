/**
 * Notices that something in the configuration folders changed. Folders are watched, never files: Kubernetes replaces a mounted ConfigMap by
 * renaming the link `..data`, after which the watch of a file would be deaf. A slow poll stands behind it, because some file systems say nothing.
 */

import { type FSWatcher, watch } from 'node:fs';
import type { Clock, Timer } from '../../ipc/clock.ts';
import { stampDirectory } from './directory-stamp.ts';

export interface WatchOptions {
  /** Asked again at every poll and before every call: folders come and go. */
  readonly directories: () => readonly string[];
  readonly clock: Clock;
  /** Quiet time after the last sign of a change. A folder that is never quiet is read after five times as long. */
  readonly debounceMs?: number;
  readonly pollMs?: number;
  /** Never called twice at once: while one call is under way, changes wait for its end. Must not throw. */
  readonly onChange: () => void | Promise<void>;
}

export interface ConfigWatch {
  /** Resolves when no call of `onChange` is under way and every watcher is released. */
  close(): Promise<void>;
}

const MAX_DEBOUNCE_FACTOR = 5;

interface Watched {
  identity: string;
  stamp: string;
  watcher: FSWatcher | null;
}

/** Resolves once the folders are watched: a change after that is not missed. */
export async function watchConfig(options: WatchOptions): Promise<ConfigWatch> {
  const watcher = new Watcher(options);
  await watcher.open();
  return watcher;
}

class Watcher implements ConfigWatch {
  readonly #options: WatchOptions;
  readonly #debounceMs: number;
  readonly #watched = new Map<string, Watched>();
  #poll: Timer | null = null;
  #debounce: Timer | null = null;
  /** When the change that waits now was first seen; null when none waits. */
  #changedAt: number | null = null;
  #work: Promise<unknown> = Promise.resolve();
  #looking: Promise<boolean> = Promise.resolve(false);
  #isCalling = false;
  #isPolling = false;
  #isClosed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#debounceMs = options.debounceMs ?? 100;
  }

  async open(): Promise<void> {
    await this.#look();
    this.#poll = this.#options.clock.every(this.#options.pollMs ?? 1_000, () => this.#pollOnce());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#poll?.cancel();
    this.#debounce?.cancel();
    for (const watched of this.#watched.values()) watched.watcher?.close();
    this.#watched.clear();
    await this.#work;
  }

  #pollOnce(): void {
    if (this.#isPolling || this.#isClosed) return;
    this.#isPolling = true;
    this.#follow(async () => {
      try {
        if (await this.#look()) this.#changed();
      } finally {
        this.#isPolling = false;
      }
    });
  }

  /** Keeps hold of work under way, so that closing can wait for it. */
  #follow(work: () => Promise<void>): void {
    const now = work();
    this.#work = Promise.allSettled([this.#work, now]);
    now.catch((error) =>
      queueMicrotask(() => {
        throw error;
      }),
    );
  }

  /** One look at a time: two would watch a new folder twice. */
  #look(): Promise<boolean> {
    const next = this.#looking.then(() => this.#lookOnce());
    this.#looking = next.catch(() => false);
    return next;
  }

  /** Looks at all folders, watches those that are new or another than before, and says whether anything differs. */
  async #lookOnce(): Promise<boolean> {
    const directories = new Set(this.#options.directories());
    let isDifferent = false;
    for (const directory of directories) {
      const last = this.#watched.get(directory);
      // Watched before it is looked at: what changes between the two is seen by one of them.
      const watched = last ?? { identity: '', stamp: '', watcher: this.#watch(directory) };
      const seen = await stampDirectory(directory);
      if (this.#isClosed) {
        watched.watcher?.close();
        return false;
      }
      if (seen.identity !== watched.identity && last !== undefined) this.#rewatch(directory, watched);
      if (seen.identity !== watched.identity || seen.stamp !== watched.stamp) isDifferent = true;
      watched.identity = seen.identity;
      watched.stamp = seen.stamp;
      this.#watched.set(directory, watched);
    }
    for (const [directory, { watcher }] of this.#watched) {
      if (directories.has(directory)) continue;
      watcher?.close();
      this.#watched.delete(directory);
    }
    return isDifferent;
  }

  #rewatch(directory: string, watched: Watched): void {
    watched.watcher?.close();
    watched.watcher = this.#watch(directory);
  }

  /** null: there is no such folder, or the machine has no watchers left. The poll sees what happens there. */
  #watch(directory: string): FSWatcher | null {
    try {
      const watcher = watch(directory, () => this.#changed());
      watcher.on('error', () => {
        watcher.close();
        this.#changed();
      });
      return watcher;
    } catch {
      return null;
    }
  }

  #changed(): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    this.#changedAt ??= clock.now();
    if (this.#isCalling) return;
    const latest = this.#changedAt + MAX_DEBOUNCE_FACTOR * this.#debounceMs;
    const wait = Math.min(this.#debounceMs, Math.max(0, latest - clock.now()));
    this.#debounce?.cancel();
    this.#debounce = clock.after(wait, () => this.#follow(() => this.#call()));
  }

  async #call(): Promise<void> {
    if (this.#isCalling || this.#isClosed) return;
    this.#changedAt = null;
    this.#isCalling = true;
    try {
      // Before the call: what changes while `onChange` reads must look different afterwards. After it: the folders may be others now,
      // and whatever happened in a new one before it was watched is read by one call more.
      await this.#look();
      if (this.#isClosed) return;
      await this.#options.onChange();
      if (await this.#look()) this.#changed();
    } finally {
      this.#isCalling = false;
      if (this.#changedAt !== null) this.#changed();
    }
  }
}
