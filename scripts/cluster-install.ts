/**
 * Builds the programs that the tests of a cluster need (etcd, kube-apiserver, kubectl, helm) with Go, from the modules pinned in
 * test/cluster/tools, into the user's cache. Does nothing when they are there. `--if-possible`: without a Go that can build them it says so and
 * ends well, for machines that have none.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MODULE_DIRECTORY, PACKAGES, toolsDirectory } from '../test/support/cluster/tools.ts';

const PROGRESS_MS = 15_000;
const UNFINISHED = '.unfinished-';
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const goMod = readFileSync(join(MODULE_DIRECTORY, 'go.mod'), 'utf8');

const began = performance.now();
const directory = toolsDirectory();
const isOptional = process.argv.includes('--if-possible');
let building: ChildProcess | null = null;

if (isWhole()) {
  say(`etcd, kube-apiserver, kubectl and helm are in ${join(directory, 'bin')}`);
} else {
  const fault = goFault();
  if (fault !== null) {
    process.stderr.write(`The programs for the tests of a cluster cannot be built: ${fault}\n`);
    process.exit(isOptional ? 0 : 1);
  }
  await install();
}

/** Into a folder of its own, moved to its place when it is whole: an interrupted build is never taken for one. */
async function install(): Promise<void> {
  // One that lost a program later.
  rmSync(directory, { recursive: true, force: true });
  removeLeftovers();
  const unfinished = `${directory}${UNFINISHED}${process.pid}`;
  mkdirSync(join(unfinished, 'bin'), { recursive: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      building?.kill(signal);
      rmSync(unfinished, { recursive: true, force: true });
      process.exit(1);
    });
  }
  say(
    `Building for the tests of a cluster into ${join(directory, 'bin')}. The first time takes minutes and about 4 GB of disk.`,
  );
  try {
    for (const [name, path] of Object.entries(PACKAGES))
      await build(name, { path, into: join(unfinished, 'bin', name) });
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another install was quicker.
    if (isWhole()) return;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  say(
    `Done in ${secondsSince(began)} s. 'npm run test:cluster' tests, 'npm run cluster:start' starts a control plane to try things on.`,
  );
}

async function build(name: string, { path, into }: { path: string; into: string }): Promise<void> {
  const start = performance.now();
  const version = versionOf(path);
  say(`${name} ${version}`);
  const args = [
    'build',
    '-v',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    linkerFlags(path, version),
    '-o',
    into,
    path,
  ];
  const child = spawn('go', args, { cwd: MODULE_DIRECTORY, env: goEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
  building = child;
  const counts = { fetched: 0, compiled: 0 };
  const faults: string[] = [];
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('go: downloading ')) counts.fetched += 1;
      else if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) counts.compiled += 1;
      else if (faults.length < 40) faults.push(line);
    }
  });
  const timer = setInterval(() => {
    say(`  ${secondsSince(start)} s: ${counts.fetched} modules fetched, ${counts.compiled} packages compiled`);
  }, PROGRESS_MS);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearInterval(timer);
  if (code !== 0) throw new Error(`go build ${path} failed:\n${[...faults, rest].join('\n').trim()}`);
  say(`  built in ${secondsSince(start)} s (${counts.fetched} modules fetched, ${counts.compiled} packages compiled)`);
}

/** Why nothing can be built with the Go of this machine, or null. */
function goFault(): string | null {
  const wanted = /^go ([\d.]+)$/m.exec(goMod)?.[1] ?? '';
  const asked = spawnSync('go', ['env', 'GOVERSION'], {
    cwd: MODULE_DIRECTORY,
    env: goEnvironment(),
    encoding: 'utf8',
  });
  if (asked.error !== undefined) return `there is no go in PATH (Go ${wanted} or newer is needed)`;
  // Go 1.21 and newer fetch the wanted version themselves, unless GOTOOLCHAIN forbids it; they say so.
  if (asked.status !== 0) return asked.stderr.trim();
  const found = asked.stdout.trim().replace(/^go/, '');
  const [major = 0, minor = 0] = found.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  const isEnough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  return isEnough ? null : `Go ${wanted} or newer is needed, and this is ${found}`;
}

function versionOf(path: string): string {
  const modules = [...goMod.matchAll(/^\s(\S+) (v[\d.]+)(?= |$)/gm)];
  return modules.find(([, module]) => path === module || path.startsWith(`${module}/`))?.[2] ?? '';
}

/** What release builds are told, so that `kubectl version`, and charts that ask for a version, get the right one. */
function linkerFlags(path: string, version: string): string {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const kubernetes = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const values = path.startsWith('k8s.io/')
    ? Object.entries(kubernetes).map(([name, value]) => `k8s.io/component-base/version.${name}=${value}`)
    : [`helm.sh/helm/v4/internal/version.version=${version}`];
  return ['-s', '-w', ...values.map((value) => `-X ${value}`)].join(' ');
}

function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
}

function isWhole(): boolean {
  return Object.keys(PACKAGES).every((name) => existsSync(join(directory, 'bin', name)));
}

/** Of installs that were killed. */
function removeLeftovers(): void {
  const parent = dirname(directory);
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(`${basename(directory)}${UNFINISHED}`) ? Number(name.split(UNFINISHED)[1]) : null;
    if (pid !== null && !isAlive(pid)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1_000).toFixed(0);
}
