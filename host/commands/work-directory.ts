/** The empty folder that the host works in: a plugin's thread can read the host's working directory until its runtime gives that up. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface WorkDirectory {
  readonly path: string;
  /** Takes a temporary folder away. Idempotent. */
  remove(): void;
}

/** `<data>/empty` where that can be had and is empty, since it outlives a host that is killed; else a folder of this run. */
export function openWorkDirectory(dataDirectory: string | null): WorkDirectory {
  const own = dataDirectory === null ? null : emptyFolder(join(dataDirectory, 'empty'));
  if (own !== null) return { path: own, remove: () => undefined };
  const path = mkdtempSync(join(tmpdir(), 'khook-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** null on a disk that cannot be written (which the outbox reports), and where somebody put something. */
function emptyFolder(path: string): string | null {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return readdirSync(path).length === 0 ? path : null;
  } catch {
    return null;
  }
}
