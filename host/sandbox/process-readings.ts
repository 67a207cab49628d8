/** What the kernel says of a process. Linux; elsewhere there is only what the process says of itself. */

import { readFileSync } from 'node:fs';

export interface ProcessReading {
  readonly residentBytes: number;
  /** The part of it that is neither the program's file nor shared. */
  readonly ownBytes: number;
  readonly cpuSeconds: number;
  /** Memory that the system handed out to it since its birth. */
  readonly faultedBytes: number;
}

/** Compiled into every Linux on x64, and into nearly every one on ARM; with larger pages there all sizes read too small. */
const PAGE_BYTES = 4_096;
const TICKS_PER_SECOND = 100;

/** Null when there is no such process, or no such file system. Reads two small files of the kernel. */
export function readProcess(pid: number): ProcessReading | null {
  try {
    return parseProcess(readFileSync(`/proc/${pid}/statm`, 'latin1'), readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

/** statm: size resident shared …; stat, behind the name in parentheses: state … minflt (8th) … utime (12th) stime (13th). */
export function parseProcess(statm: string, stat: string): ProcessReading | null {
  const [, resident = Number.NaN, shared = Number.NaN] = statm.split(' ').map(Number);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const reading: ProcessReading = {
    residentBytes: resident * PAGE_BYTES,
    ownBytes: (resident - shared) * PAGE_BYTES,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    faultedBytes: Number(fields[7]) * PAGE_BYTES,
  };
  return Object.values(reading).every(Number.isFinite) ? reading : null;
}
