// Runs in the plugin's thread.
/** `process` without the parts that act on the whole host: signals, native code, the working directory, reports with the host's secrets. */

import { intercept, lock, lockAccessor, takeAway } from './lock.ts';
import { apply, freeze } from './primordials.ts';
import type { Refusals } from './refusal.ts';

const BEYOND = 'it acts on the whole process, which other plugins share';
const NATIVE = 'native code cannot be held';

const TAKEN: Readonly<Record<string, string>> = {
  kill: BEYOND,
  _kill: BEYOND,
  abort: BEYOND,
  execve: BEYOND,
  chdir: BEYOND,
  setuid: BEYOND,
  seteuid: BEYOND,
  setgid: BEYOND,
  setegid: BEYOND,
  setgroups: BEYOND,
  initgroups: BEYOND,
  _debugProcess: BEYOND,
  _debugEnd: BEYOND,
  _startProfilerIdleNotifier: BEYOND,
  _stopProfilerIdleNotifier: BEYOND,
  dlopen: NATIVE,
  binding: NATIVE,
  _linkedBinding: NATIVE,
  _getActiveHandles: 'the handles of its wires are among them',
  _getActiveRequests: 'the requests of its wires are among them',
  // Only a child process has these; they are the way to its parent.
  send: 'the channel to the host is not its own',
  disconnect: 'the channel to the host is not its own',
};

export interface ProcessGuardOptions {
  readonly refusals: Refusals;
  /** The host's working directory, which a worker may read whatever was granted. */
  readonly hostDirectory: string | null;
}

export function guardProcess({ refusals, hostDirectory }: ProcessGuardOptions): void {
  const target = process as unknown as Record<string, unknown>;
  for (const name of Object.keys(TAKEN)) {
    if (name in target) takeAway(target, name, refusals.refuse(`process.${name}`, TAKEN[name] as string));
  }
  // Archivers read it.
  const refused = refusals.refuse('process.umask', BEYOND);
  intercept(target, 'umask', (original, self, args) =>
    apply(args[0] === undefined ? original : refused, self as object, args),
  );
  if ('channel' in target) lock(target, 'channel', undefined);
  // A diagnostic report contains the host's environment.
  lock(target, 'report', undefined);
  // Libraries set a title now and then; here it stays a string.
  let title = 'plugin';
  lockAccessor(target, 'title', {
    get: () => title,
    set: (given) => {
      title = `${given as string}`;
    },
  });
  givePermissionsUp(refusals, hostDirectory);
}

/** Absent when Node runs without its permission model, as in a test. */
function givePermissionsUp(refusals: Refusals, hostDirectory: string | null): void {
  const permission = process.permission as NodeJS.ProcessPermission | undefined;
  if (permission === undefined) return;
  if (hostDirectory !== null) permission.drop('fs.read', hostDirectory);
  lock(permission, 'drop', refusals.refuse('process.permission.drop', 'the host decides about permissions'));
  freeze(permission);
}
