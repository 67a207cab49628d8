import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';
import { tellOnFailure } from './tell-on-failure.ts';
import { tempDir } from './temp-dir.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface HostFiles {
  /** Text of plugins.yaml; absent: none. */
  readonly plugins?: string;
  readonly mappings?: string;
  /** File name → text. */
  readonly hooks?: Readonly<Record<string, string>>;
  /** Bundles to put into the plugin folder: name there → folder to copy. */
  readonly bundles?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

export interface LogLine {
  readonly level: string;
  readonly name: string;
  readonly msg: string;
  readonly plugin?: string;
  readonly [key: string]: unknown;
}

const LAST_LINES_MS = 2_000;

/** A real `khook run` in a process of its own, on free ports, with folders that a test may change while it runs. */
export class RunningHost {
  readonly directory: string;
  readonly #child: ChildProcess;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Everything that was written to stdout, line by line. */
  readonly lines: string[] = [];
  stderr = '';
  metrics = '';
  health = '';
  admin = '';
  agent = '';

  private constructor(directory: string, child: ChildProcess) {
    this.directory = directory;
    this.#child = child;
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.lines.push(...lines);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exit = ended(child);
  }

  /** Resolves when the host says that its ports are open. It is killed after the test. */
  static async start(t: Pick<TestContext, 'after'>, files: HostFiles): Promise<RunningHost> {
    const directory = tempDir(t);
    writeFiles(directory, files);
    const flags = [
      ...['--config', join(directory, 'config'), '--plugins', join(directory, 'plugins')],
      ...['--metrics-port', '0', '--health-port', '0', '--admin-port', '0', '--agent-port', '0'],
      ...['--listen-address', '127.0.0.1', ...(files.flags ?? [])],
    ];
    const child = spawn(join(ROOT, 'scripts/khook'), ['run', ...flags], {
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', HOME: directory, ...files.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const host = new RunningHost(directory, child);
    tellOnFailure(t, async () => [...host.lines, ...host.stderr.split('\n')]);
    t.after(async () => {
      child.kill('SIGKILL');
      await host.exit;
    });
    const ports = await Promise.race([
      eventually(() => host.log.find(({ msg }) => msg.startsWith('Metrics and read API on'))),
      host.exit.then(({ code }) => Promise.reject(new Error(`khook exited with ${code}:\n${host.text}`))),
    ]);
    host.metrics = `http://127.0.0.1:${ports.metrics}`;
    host.health = `http://127.0.0.1:${ports.health}`;
    host.admin = `http://127.0.0.1:${ports.admin}`;
    host.agent = `http://127.0.0.1:${ports.agent}`;
    return host;
  }

  /** Of the keeper. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get log(): LogLine[] {
    return this.lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  }

  get text(): string {
    return `${this.lines.join('\n')}\n${this.stderr}`;
  }

  /** The lines that `grep PATTERN` would print. */
  grep(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  async json<T>(path: string): Promise<T> {
    const response = await fetch(`${this.metrics}${path}`);
    return (await response.json()) as T;
  }

  /** Waits until a plugin is in a state, and returns its snapshot. */
  plugin(name: string, state: string): Promise<Record<string, unknown>> {
    return eventually(async () => {
      const { plugins } = await this.json<{ plugins: Record<string, unknown>[] }>('/api/v1/plugins');
      const found = plugins.find((plugin) => plugin.name === name);
      if (found?.state !== state)
        throw new Error(`plugin ${name} is ${String(found?.state)}, not ${state}\n${this.text}`);
      return found;
    });
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.directory, path), text);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

export function writeFiles(directory: string, { plugins, mappings, hooks = {}, bundles = {} }: HostFiles): void {
  mkdirSync(join(directory, 'config/hooks'), { recursive: true });
  mkdirSync(join(directory, 'plugins'));
  if (plugins !== undefined) writeFileSync(join(directory, 'config/plugins.yaml'), plugins);
  if (mappings !== undefined) writeFileSync(join(directory, 'config/event-mappings.yaml'), mappings);
  for (const [name, text] of Object.entries(hooks)) writeFileSync(join(directory, 'config/hooks', name), text);
  for (const [name, from] of Object.entries(bundles)) {
    cpSync(resolve(ROOT, from), join(directory, 'plugins', name), { recursive: true });
  }
}

/** Its last lines come after its end, unless a process that it left behind holds the pipe. */
function ended(child: ChildProcess): RunningHost['exit'] {
  return new Promise((done) => {
    child.once('exit', (code, signal) => {
      const patience = setTimeout(done, LAST_LINES_MS, { code, signal });
      child.once('close', () => {
        clearTimeout(patience);
        done({ code, signal });
      });
    });
  });
}
