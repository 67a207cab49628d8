/** What the kernel says about a process. Linux only. */

import { readdirSync, readFileSync } from 'node:fs';

const PAGE = 4096;

export interface ProcessStats {
  readonly residentBytes: number;
  readonly threads: number;
  readonly descriptors: number;
}

/** Zeros when there is no such process. */
export function processStats(pid: number): ProcessStats {
  return {
    residentBytes: residentBytes(pid),
    threads: count(`/proc/${pid}/task`),
    descriptors: count(`/proc/${pid}/fd`),
  };
}

export function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE;
  } catch {
    return 0;
  }
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The process and all below it. Children are forked by the main thread of their parent. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

/** Names of the threads of a process: a plugin's thread bears the first 15 characters of the plugin's name. */
export function threadNames(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
      try {
        return [readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim()];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function count(directory: string): number {
  try {
    return readdirSync(directory).length;
  } catch {
    return 0;
  }
}
