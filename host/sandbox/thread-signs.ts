/** The vital signs of a worker thread, read from outside of it: from Node by asking, from the system by looking. */

import { readdirSync, readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { OutsideSigns, Sizes } from './watched.ts';

/** The system keeps no more of a thread's name. */
const NAME_LIMIT = 15;
const PAGE_BYTES = 4_096;
const TICKS_PER_SECOND = 100;
/** A folder for each thread of this process. */
export const TASKS = '/proc/self/task';
/** A thread gets its name as it starts; one that is not found by then is not looked for again. */
const LOOKS = 100;

let threads = 0;

/** By its name a thread is found among those of the process, so no two have the same. */
export function threadName(plugin: string): string {
  threads += 1;
  const suffix = `-${(threads % 36 ** 4).toString(36)}`;
  return `${plugin.slice(0, NAME_LIMIT - suffix.length)}${suffix}`;
}

export class ThreadSigns {
  readonly #worker: Worker;
  readonly #name: string;
  #statFile: string | null = null;
  #looksLeft = process.platform === 'linux' ? LOOKS : 0;

  constructor(worker: Worker, name: string) {
    this.#worker = worker;
    this.#name = name;
  }

  async sizes(): Promise<Sizes> {
    const [heap, cpu] = await Promise.all([this.#worker.getHeapStatistics(), this.#worker.cpuUsage()]);
    return {
      heapBytes: heap.used_heap_size,
      heapTotalBytes: heap.total_heap_size,
      externalBytes: heap.external_memory,
      mallocedBytes: heap.malloced_memory,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
    };
  }

  outside(): OutsideSigns {
    const { active } = this.#worker.performance.eventLoopUtilization();
    return { loopActiveMs: active, ...(this.#stat() ?? { cpuSeconds: null, faultedBytes: null }) };
  }

  /** Of a thread that cannot be ended: others come first, and yet it has to get done. */
  stepBack(): void {
    this.#statFile ??= this.#look();
    const [, id] = /\/(\d+)\/stat$/.exec(this.#statFile ?? '') ?? [];
    try {
      if (id !== undefined) setPriority(Number(id), constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // It has ended after all.
    }
  }

  #stat(): Omit<OutsideSigns, 'loopActiveMs'> | null {
    this.#statFile ??= this.#look();
    if (this.#statFile === null) return null;
    try {
      return parseStat(readFileSync(this.#statFile, 'utf8'));
    } catch {
      // The thread is gone.
      return null;
    }
  }

  #look(): string | null {
    if (this.#looksLeft === 0) return null;
    this.#looksLeft -= 1;
    try {
      const id = readdirSync(TASKS).find((task) => readFileSync(`${TASKS}/${task}/comm`, 'utf8').trim() === this.#name);
      return id === undefined ? null : `${TASKS}/${id}/stat`;
    } catch {
      // A thread of the list ended while it was read.
      return null;
    }
  }
}

/** A line of /proc/…/stat. The name in it may contain anything, so it is read from behind the last parenthesis. */
export function parseStat(line: string): { readonly cpuSeconds: number; readonly faultedBytes: number } {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const number = (index: number): number => Number(fields[index] ?? 0);
  return {
    cpuSeconds: (number(11) + number(12)) / TICKS_PER_SECOND,
    faultedBytes: number(7) * PAGE_BYTES,
  };
}
