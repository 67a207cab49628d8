/** What the system handed out to the threads of this process' thread pool, read from outside of them. Zero where there is no /proc. */

import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../ipc/clock.ts';
import { parseStat, TASKS } from './thread-signs.ts';

/** What libuv calls them. */
const NAME = 'libuv-worker';
/** The pool starts its threads with the first job, all at once. */
const LOOK_EVERY_MS = 1_000;

export class PoolSigns {
  readonly #clock: Pick<Clock, 'now'>;
  #statFiles: readonly string[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Since the threads were started. */
  faultedBytes(): number {
    if (this.#statFiles.length === 0) this.#look();
    return this.#statFiles.reduce((sum, file) => sum + faultedBytesOf(file), 0);
  }

  #look(): void {
    const now = this.#clock.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS || process.platform !== 'linux') return;
    this.#lookedAt = now;
    this.#statFiles = readdirSync(TASKS)
      .filter((task) => nameOf(task) === NAME)
      .map((task) => `${TASKS}/${task}/stat`);
  }
}

function faultedBytesOf(statFile: string): number {
  try {
    return parseStat(readFileSync(statFile, 'utf8')).faultedBytes;
  } catch {
    return 0;
  }
}

function nameOf(task: string): string {
  try {
    return readFileSync(`${TASKS}/${task}/comm`, 'utf8').trim();
  } catch {
    // A thread of the list ended while it was read.
    return '';
  }
}
