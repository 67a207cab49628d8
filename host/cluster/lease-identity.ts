/** The name under which a khook stands for election. */

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'instance';
const INSTANCE = /^[0-9a-f]{16}$/;

/**
 * `POD_INSTANCE`: the instance is kept in the data folder, whose lock lets one process live at a time; call this when it is held. So a host that
 * died and is back knows the lease as its own and need not wait until it expires. Without a folder that can be written it is another
 * one in each life.
 */
export function leaseIdentity({ pod, directory }: { readonly pod: string; readonly directory: string | null }): string {
  return `${pod}_${directory === null ? newInstance() : instanceOf(directory)}`;
}

/** The pod of an identity; a pod's name has no underscore. */
export function podOf(identity: string): string {
  return identity.split('_', 1)[0] ?? '';
}

function instanceOf(directory: string): string {
  const file = join(directory, FILE);
  try {
    const kept = readFileSync(file, 'utf8');
    if (INSTANCE.test(kept)) return kept;
  } catch {
    // None yet, or none that can be read.
  }
  const instance = newInstance();
  try {
    writeFileSync(`${file}.new`, instance);
    renameSync(`${file}.new`, file);
  } catch {
    // Costs the time of one lease after the next crash.
  }
  return instance;
}

function newInstance(): string {
  return randomBytes(8).toString('hex');
}
