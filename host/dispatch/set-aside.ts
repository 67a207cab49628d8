/** A damaged file of the outbox is kept under another name: somebody may want to look into it. */

import { existsSync, renameSync } from 'node:fs';

/** Moves the file and its log to `<path>.damaged-<time>`. The new name, or null when it cannot be moved. */
export function setAside(path: string, wall: number): string | null {
  const to = `${path}.damaged-${new Date(wall).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  try {
    if (existsSync(to)) return null;
    // First: a log without its file is nothing, but a new file must not find the log of another.
    if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${to}-wal`);
    renameSync(path, to);
    return to;
  } catch {
    return null;
  }
}
