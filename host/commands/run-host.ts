/** The host in this process, from the first line of its log to its exit code. */

import { systemClock } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { type App, startApp } from '../app.ts';
import { readEnvironment } from '../config/environment.ts';
import { formatProblem } from '../config/problem.ts';
import type { KeeperMessage, RestartMessage } from '../keeper.ts';
import type { Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { internalErrors } from './internal-errors.ts';
import { readRunOptions } from './run-options.ts';
import { khookVersion } from './version.ts';
import { openWorkDirectory } from './work-directory.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const BEAT_MS = 1_000;

export async function runHost(invocation: Invocation): Promise<ExitCode> {
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
  const work = openWorkDirectory(options.dataDirectory);
  const home = process.cwd();
  const leave = (): void => {
    process.chdir(home);
    work.remove();
  };
  const asked = firstRequest();
  let restart: RestartMessage | null = null;
  process.once('message', (message: RestartMessage) => {
    restart = message;
  });
  let app: App;
  try {
    app = await startApp({
      ...options,
      workDirectory: work.path,
      restart: () => restart,
      onTooManyZombies: (why) => {
        if (!process.connected) invocation.stderr(`khook run: a fresh process is wanted: ${why}\n`);
        tellKeeper({ kind: 'replace', why });
      },
    });
  } catch (error) {
    leave();
    releaseKeeper();
    invocation.stderr(`khook run: ${messageOf(error)}\n`);
    return codeOf(error) === 'HOST_ERR_PORT' ? EXIT_CODES.PORT : EXIT_CODES.FAILED;
  }
  const onFault = internalErrors({
    clock: systemClock,
    report: app.report,
    giveUp: (count) => {
      app.report(new Error(`${count} faults of khook itself within a minute: this host leaves`));
      exitNow(app, EXIT_CODES.FAILED);
    },
  });
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
  tellKeeper({ kind: 'ready' });
  const beat = systemClock.every(BEAT_MS, () => tellKeeper({ kind: 'beat' }));
  const end = await Promise.race([
    asked.then((why) => ({ why, code: EXIT_CODES.OK })),
    app.lost.then((why) => ({ why, code: EXIT_CODES.LOST })),
  ]);
  // Whoever asks twice does not want to wait.
  for (const name of SIGNALS) {
    process.on(name, () => {
      leave();
      exitNow(app, EXIT_CODES.INTERRUPTED);
    });
  }
  await app.stop(end.why);
  beat.cancel();
  leave();
  releaseKeeper();
  if (app.unended() > 0) exitNow(app, end.code);
  return end.code;
}

/** A thread in a blocking system call holds the process for ever, and process.exit() with it. */
function exitNow(app: App, code: ExitCode): void {
  if (app.unended() > 0) process.kill(process.pid, 'SIGKILL');
  process.exit(code);
}

/** Resolves with the first signal, or when the keeper is gone: a host without a keeper is not left behind. */
function firstRequest(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const name of SIGNALS) process.once(name, () => resolve(name));
  process.once('disconnect', () => resolve('its keeper is gone'));
  return promise;
}

function tellKeeper(message: KeeperMessage): void {
  if (process.connected && process.send !== undefined) process.send(message);
}

/** The channel to the keeper would hold the process. */
function releaseKeeper(): void {
  if (process.connected && process.disconnect !== undefined) process.disconnect();
}
