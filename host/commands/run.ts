/** `khook run`: the host in this process, from the first line of its log to its exit code. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { type App, startApp } from '../app.ts';
import { readEnvironment } from '../config/environment.ts';
import { formatProblem } from '../config/problem.ts';
import type { Command } from './command.ts';
import { EXIT_CODES } from './exit-code.ts';
import { RUN_FLAGS, readRunOptions } from './run-options.ts';
import { khookVersion } from './version.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export const run: Command = {
  name: 'run',
  summary: 'Run the host: load the plugins, match their events, call agents',
  usage: '[flags]',
  positionals: 0,
  flags: RUN_FLAGS,
  examples: ['khook run', 'khook run --config /etc/khook --agent-url http://localhost:9999/'],
  async run(invocation) {
    const { environment, problems } = readEnvironment();
    if (problems.length > 0) {
      invocation.stderr(problems.map((problem) => `khook run: ${formatProblem(problem)}\n`).join(''));
      return EXIT_CODES.USAGE;
    }
    const options = readRunOptions(invocation, environment, khookVersion());
    if (typeof options === 'string') {
      invocation.stderr(`khook run: ${options}\n`);
      return EXIT_CODES.USAGE;
    }
    const empty = mkdtempSync(join(tmpdir(), 'khook-'));
    const home = process.cwd();
    const leave = (): void => {
      process.chdir(home);
      rmSync(empty, { recursive: true, force: true });
    };
    const signalled = firstSignal();
    let app: App;
    try {
      app = await startApp({ ...options, workDirectory: empty });
    } catch (error) {
      leave();
      invocation.stderr(`khook run: ${messageOf(error)}\n`);
      return codeOf(error) === 'HOST_ERR_PORT' ? EXIT_CODES.PORT : EXIT_CODES.FAILED;
    }
    const signal = await signalled;
    // Whoever asks twice does not want to wait.
    for (const name of SIGNALS) {
      process.on(name, () => {
        leave();
        process.exit(EXIT_CODES.INTERRUPTED);
      });
    }
    await app.stop(signal);
    leave();
    return EXIT_CODES.OK;
  },
};

/** Resolves with its name. */
function firstSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const name of SIGNALS) process.once(name, () => resolve(name));
  return promise;
}
