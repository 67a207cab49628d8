/** The host inside the test's own process, started from a command line and an environment as `khook run` is: quicker than a process, and as real. */

import type { TestContext } from 'node:test';
import { type App, startApp } from '../../host/app.ts';
import { readCommandLine } from '../../host/commands/command-line.ts';
import { run } from '../../host/commands/run.ts';
import { readRunOptions } from '../../host/commands/run-options.ts';
import { readEnvironment } from '../../host/config/environment.ts';
import { eventually } from './eventually.ts';
import { type HostFiles, type LogLine, writeFiles } from './running-host.ts';
import { tellOnFailure } from './tell-on-failure.ts';
import { tempDir } from './temp-dir.ts';

/** On free ports, where a test says nothing else. Later flags win. */
const QUIET = ['--agent-port', '0', '--admin-port', '0', '--listen-address', '127.0.0.1'];

export interface AppHostFiles extends HostFiles {
  /** Default: the temporary folder's own, and any free port. */
  readonly plainFlags?: boolean;
}

export class AppHost {
  readonly directory: string;
  readonly app: App;
  readonly lines: string[];
  readonly #base: string;
  readonly #admin: string;

  private constructor(directory: string, app: App, lines: string[]) {
    this.directory = directory;
    this.app = app;
    this.lines = lines;
    this.#base = `http://127.0.0.1:${app.ports.metrics}`;
    this.#admin = `http://127.0.0.1:${app.ports.admin}`;
  }

  /** Stopped after the test. Rejects with what is wrong with the command line or the environment. */
  static async start(t: Pick<TestContext, 'after'>, files: AppHostFiles): Promise<AppHost> {
    const directory = tempDir(t);
    writeFiles(directory, files);
    const lines: string[] = [];
    const own = files.plainFlags
      ? []
      : [
          '--config',
          `${directory}/config`,
          '--plugins',
          `${directory}/plugins`,
          '--metrics-port',
          '0',
          '--health-port',
          '0',
        ];
    const data = ['--data', `${directory}/data`];
    const flags = [...QUIET, ...data, ...own, ...(files.flags ?? [])].map((flag) =>
      flag.replace('{directory}', directory),
    );
    const line = readCommandLine(run, flags);
    if (line.kind !== 'ok') throw new Error(`bad command line: ${JSON.stringify(line)}`);
    const { environment, problems } = readEnvironment({ HOME: directory, ...files.env });
    if (problems[0] !== undefined) throw new Error(problems[0].message);
    const quiet = { positionals: [], args: [], stdout: () => undefined, stderr: () => undefined };
    const options = readRunOptions({ ...quiet, flags: line.flags }, environment, '0.0.0-test');
    if (typeof options === 'string') throw new Error(options);
    const log = { ...options.log, destination: { write: (text: string) => lines.push(text) } };
    const app = await startApp({ ...options, log });
    const host = new AppHost(directory, app, lines);
    tellOnFailure(t, async () => [...lines, JSON.stringify(await host.json('/api/v1/ledger'))]);
    t.after(() => app.stop('the test is over'));
    return host;
  }

  get log(): LogLine[] {
    return this.lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  }

  grep(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  async json<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.#base}${path}`)).json()) as T;
  }

  /** The value of one series of the scrape, or 0. */
  async metric(series: string): Promise<number> {
    const text = await (await fetch(`${this.#base}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  }

  async outcomes(): Promise<Record<string, number>> {
    return (await this.json<{ outcomes: Record<string, number> }>('/api/v1/ledger')).outcomes;
  }

  async emit(event: Record<string, unknown>): Promise<{ id: string; outcome: string | null }> {
    const body = JSON.stringify({ source: 'puppet', type: 'happened', resourceName: 'r', message: 'm', ...event });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.#admin}/api/v1/emit`, { method: 'POST', headers, body });
    return (await answer.json()) as { id: string; outcome: string | null };
  }

  plugin(name: string, state: string): Promise<Record<string, unknown>> {
    return eventually(async () => {
      const { plugins } = await this.json<{ plugins: Record<string, unknown>[] }>('/api/v1/plugins');
      const found = plugins.find((plugin) => plugin.name === name);
      if (found?.state !== state) throw new Error(`plugin ${name} is ${String(found?.state)}, not ${state}`);
      return found;
    });
  }
}
