/**
 * A shell that outlives the test: when the test's process is gone, however it ended, it kills the servers that were started and removes their folder.
 * It learns of the end by the end of its standard input, so it needs no polling and works wherever there is a shell.
 */

import { type ChildProcess, spawn } from 'node:child_process';

/** `+ PID` and `- PID` on stdin. Its own group: Ctrl-C in a terminal ends the test, not this. */
const SCRIPT = `
pids=
while read -r sign pid; do
  case $sign in
    +) pids="$pids $pid" ;;
    -) pids=$(for each in $pids; do [ "$each" = "$pid" ] || printf '%s ' "$each"; done) ;;
  esac
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
# A process that is being killed may still write.
for try in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf -- "$1" 2>/dev/null
  [ -e "$1" ] || exit 0
  sleep 0.2
done
`;

export class Reaper {
  readonly #shell: ChildProcess;

  /** `folder` is removed at the end, also when nothing goes wrong. */
  constructor(folder: string) {
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'reaper', folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // A shell that cannot be started shows when it is told something.
    this.#shell.on('error', () => undefined);
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }

  watch(pid: number): void {
    this.#shell.stdin?.write(`+ ${pid}\n`);
  }

  /** After its exit, so that nobody who gets the same number is killed. */
  forget(pid: number): void {
    this.#shell.stdin?.write(`- ${pid}\n`);
  }

  /** Resolves when the folder is gone. */
  async end(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#shell;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    this.#shell.ref();
    const ended = new Promise((resolve) => this.#shell.once('exit', resolve));
    this.#shell.stdin?.end();
    await ended;
  }
}
