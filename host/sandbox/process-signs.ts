/**
 * The vital signs of a child process, read from outside of it. Its memory is what the system gave it since its runtime stood, on top
 * of what the runtime's heap weighed then: about the number that a thread's heap statistics make, and not the child's to choose. Only
 * how much of it is buffers is the child's word. Where there is no /proc there is nothing but its word.
 */

import { readFileSync } from 'node:fs';
import type { Readings } from '../../ipc/process-life.ts';
import { NO_USES, type Uses } from '../../ipc/uses.ts';
import { parseStat } from './thread-signs.ts';
import type { OutsideSigns, Sizes } from './watched.ts';

/**
 * A heap takes more than what is in it, by an eighth, and code and the allocator take some beside it; a thread's heap statistics show
 * neither. A cache of 45 MB weighed 55.
 */
const HEAP_SLACK = 1 / 8;
const CODE_BYTES = 4 * 1024 * 1024;
/** With larger pages, as some ARM kernels have, all sizes read too small. */
const PAGE_BYTES = 4_096;

/**
 * glibc keeps freed blocks of any size up to 32 MB for later, once it has seen one of that size freed: a plugin that drops its
 * buffers would look as if it held them (120 MB for 9). With a fixed threshold they go back to the system at once (3 MB).
 */
export const ALLOCATOR_SETTINGS: Readonly<Record<string, string>> = { MALLOC_MMAP_THRESHOLD_: '131072' };

export interface ProcessReading {
  readonly residentBytes: number;
  /** The part of it that is neither the program's file nor shared. */
  readonly ownBytes: number;
  /** Of its main thread, as a thread's are its own: what its thread pool computes is not its loop's. */
  readonly cpuSeconds: number;
  /** Memory that the system handed out to it since its birth. */
  readonly faultedBytes: number;
}

interface Birth {
  readonly readings: Readings;
  /** Null where the system does not say. */
  readonly ownBytes: number | null;
}

export class ProcessSigns {
  readonly #pid: number;
  #birth: Birth | null = null;
  #readings: Readings = { heapBytes: 0, externalBytes: 0, cpuSeconds: 0, loopActiveMs: 0, uses: NO_USES };

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Its runtime stands: what it weighs now is not the plugin's. */
  born(readings: Readings): void {
    this.#readings = readings;
    this.#birth ??= { readings, ownBytes: readProcess(this.#pid)?.ownBytes ?? null };
  }

  /** What it says of itself. */
  said(readings: Readings): void {
    this.#readings = readings;
  }

  /** By its own word, as old as its last readings. */
  get uses(): Uses {
    return this.#readings.uses;
  }

  sizes(): Sizes {
    const seen = readProcess(this.#pid);
    const { heapBytes, externalBytes, cpuSeconds } = this.#readings;
    const total = this.#total(seen) ?? heapBytes + externalBytes;
    const external = Math.min(externalBytes, total);
    return {
      heapBytes: total - external,
      heapTotalBytes: total - external,
      externalBytes: external,
      mallocedBytes: 0,
      cpuSeconds: seen?.cpuSeconds ?? cpuSeconds,
    };
  }

  outside(): OutsideSigns {
    const seen = readProcess(this.#pid);
    const { loopActiveMs, cpuSeconds } = this.#readings;
    if (seen === null) return { loopActiveMs, cpuSeconds, faultedBytes: null };
    // It may say that its loop rests; the system knows that it computes.
    const activeMs = Math.max(loopActiveMs, seen.cpuSeconds * 1_000);
    return { loopActiveMs: activeMs, cpuSeconds: seen.cpuSeconds, faultedBytes: seen.faultedBytes };
  }

  residentBytes(): number {
    return readProcess(this.#pid)?.residentBytes ?? 0;
  }

  #total(seen: ProcessReading | null): number | null {
    if (seen === null || this.#birth === null || this.#birth.ownBytes === null) return null;
    const { heapBytes, externalBytes } = this.#birth.readings;
    const grown = seen.ownBytes - this.#birth.ownBytes;
    return heapBytes + externalBytes + Math.max(0, grown * (1 - HEAP_SLACK) - CODE_BYTES);
  }
}

/** Null when there is no such process, or no such file system. Reads three small files of the kernel, at once. */
export function readProcess(pid: number): ProcessReading | null {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
    if (resident === undefined || shared === undefined) return null;
    return {
      residentBytes: resident * PAGE_BYTES,
      ownBytes: (resident - shared) * PAGE_BYTES,
      ...parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')),
      cpuSeconds: parseStat(readFileSync(`/proc/${pid}/task/${pid}/stat`, 'latin1')).cpuSeconds,
    };
  } catch {
    return null;
  }
}
