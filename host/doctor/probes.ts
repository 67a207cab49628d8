/** What has to be tried out or asked of the system: ports, disk, memory. Nothing here rejects. */

import { type Dirent, readdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Clock, delay } from '../../ipc/clock.ts';
import { codeOf } from '../../ipc/errors.ts';
import type { HostEvidence } from './evidence.ts';

const CONNECT_MS = 1_000;
const MAX_NAMED = 6;
/** What the system says where no limit is set. */
const NO_LIMIT = 2 ** 50;

/** The ports on which nobody takes a connection, by that address of this machine. */
export async function silentPorts(
  ports: readonly number[],
  { clock, host = '127.0.0.1' }: { readonly clock: Clock; readonly host?: string | undefined },
): Promise<readonly number[]> {
  const taken = await Promise.all(ports.map((port) => isTaken({ port, host }, clock)));
  return ports.filter((_, n) => taken[n] === false);
}

/** Where others reach this machine; undefined: nowhere. */
export function outerAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}

async function isTaken(place: { readonly port: number; readonly host: string }, clock: Clock): Promise<boolean> {
  const socket = createConnection(place);
  const answer = Promise.withResolvers<boolean>();
  const late = new AbortController();
  socket.once('connect', () => answer.resolve(true));
  socket.once('error', () => answer.resolve(false));
  // Late is not silent: the machine may be busy.
  delay(clock, CONNECT_MS, late.signal).then(
    () => answer.resolve(true),
    () => undefined,
  );
  const taken = await answer.promise;
  late.abort();
  socket.destroy();
  return taken;
}

/** Those that are not there. One that may not be looked at, or that is a link to itself, is there: what is wrong with it is told when it is read. */
export function missingOf(files: readonly string[]): readonly string[] {
  return files.filter((file) => {
    try {
      statSync(file);
      return false;
    } catch (error) {
      return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
    }
  });
}

/** What lies in a folder of Hooks in which no Hook was found, each with the reason why it is none. */
export function passedOver(directory: string): readonly string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    // That it cannot be listed is told with the configuration.
    return [];
  }
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .slice(0, MAX_NAMED)
    .map((entry) => {
      if (entry.isDirectory()) return `${entry.name}/: a folder; only files right in the folder of Hooks are read`;
      if (!/\.(ya?ml|json)$/.test(entry.name)) return `${entry.name}: its name does not end in .yaml, .yml or .json`;
      const isLost = missingOf([join(directory, entry.name)]).length > 0;
      return `${entry.name}: ${isLost ? 'a link to what does not exist' : 'holds no Hook that can be used'}`;
    });
}

export async function diskOf(directory: string | null): Promise<HostEvidence['disk']> {
  if (directory === null) return null;
  try {
    const { bavail, blocks, bsize, ffree, files } = await statfs(directory);
    const bytes = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    return { directory, ...bytes, freeFiles: ffree, totalFiles: files };
  } catch {
    // That it cannot be read is what the outbox says.
    return null;
  }
}

export function memoryOf(): Pick<HostEvidence, 'residentBytes' | 'memoryLimitBytes'> {
  const limit = process.constrainedMemory();
  return {
    residentBytes: process.memoryUsage.rss(),
    memoryLimitBytes: limit > 0 && limit < NO_LIMIT ? limit : null,
  };
}
