/**
 * A process as a container runtime starts one, with what every Linux has: namespaces of its own for processes and mounts, a read-only root that
 * holds only the system's programs and the given folders, another user, no capabilities. The network is the machine's.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';
import { childrenOf } from './process-stats.ts';
import { tempDir } from './temp-dir.ts';

export interface ContainerOptions {
  /** Folder or file of this machine → place in the container. */
  readonly readable: Readonly<Record<string, string>>;
  readonly writable: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: number;
  readonly cwd: string;
}

/** `/tmp` is the container's own. Everything is sealed before the command runs. */
const SCRIPT = `
set -eu
root=$1 user=$2 cwd=$3 count=$4
shift 4
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$root"
bind() {
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root$(dirname "$2")"; : > "$root$2"; fi
  mount --bind "$1" "$root$2"
  [ "$3" = rw ] || mount -o "remount,bind,$3" "$root$2"
}
for system in bin sbin lib lib64 usr; do
  if [ -L "/$system" ]; then ln -s "$(readlink "/$system")" "$root/$system"
  elif [ -d "/$system" ]; then bind "/$system" "/$system" ro
  fi
done
for device in null zero random urandom; do bind "/dev/$device" "/dev/$device" rw; done
mkdir -p "$root/etc" "$root/proc" "$root/tmp"
printf 'khook:x:%s:%s::/nonexistent:/usr/sbin/nologin\\n' "$user" "$user" > "$root/etc/passwd"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777,nosuid,nodev none "$root/tmp"
while [ "$count" -gt 0 ]; do
  bind "$1" "$2" "$3"
  shift 3
  count=$((count - 1))
done
mount -o remount,ro "$root"
cd /
exec chroot "$root" env -C "$cwd" setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
`;

const OWN_NAMESPACES = ['--mount', '--pid', '--fork'];

/** For `skip` of node:test: why no container can be started here, or false. */
export function missingNamespaces(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root to make namespaces';
  const tried = spawnSync('unshare', [...OWN_NAMESPACES, 'setpriv', '--version'], { encoding: 'utf8' });
  return tried.status === 0 ? false : `no namespaces here: ${tried.error?.message ?? tried.stderr.trim()}`;
}

export class Container {
  readonly #unshare: ChildProcess;
  /** Process 1 of the container, as this machine numbers it. */
  readonly pid: number;
  readonly lines: string[];
  /** Of process 1, as a container runtime would see it. */
  readonly exit: Promise<number | null>;

  private constructor(unshare: ChildProcess, pid: number, lines: string[], exit: Promise<number | null>) {
    this.#unshare = unshare;
    this.pid = pid;
    this.lines = lines;
    this.exit = exit;
  }

  /** Killed after the test, with everything in it. */
  static async start(t: Pick<TestContext, 'after'>, options: ContainerOptions): Promise<Container> {
    const { readable, writable, command, env, user, cwd } = options;
    const mounts = [
      ...Object.entries(readable).flatMap(([from, to]) => [from, to, 'ro']),
      ...Object.entries(writable).flatMap(([from, to]) => [from, to, 'rw']),
    ];
    const args = [tempDir(t), String(user), cwd, String(mounts.length / 3), ...mounts, ...command];
    const unshare = spawn('unshare', [...OWN_NAMESPACES, '/bin/sh', '-c', SCRIPT, 'container', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    for (const stream of [unshare.stdout, unshare.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts);
      });
    }
    const exit = new Promise<number | null>((resolve) => unshare.once('close', resolve));
    const pid = await eventually(() => childrenOf(unshare.pid ?? 0)[0]);
    const container = new Container(unshare, pid, lines, exit);
    t.after(async () => {
      // With process 1 all others of its namespace are killed.
      if (container.isRunning) container.signal('SIGKILL');
      await exit;
    });
    return container;
  }

  get isRunning(): boolean {
    return this.#unshare.exitCode === null && this.#unshare.signalCode === null;
  }

  /** To process 1. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }
}
