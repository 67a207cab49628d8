/** Runs a fixture in a real worker under Node's permission model, with the guard and without it. */

import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { NetworkPolicy, ThreadBudget } from '../../../../ipc/control.ts';
import type { AttemptData, Outcome } from '../../../fixtures/guard/entry.ts';

const FIXTURES = new URL('../../../fixtures/guard/', import.meta.url);
const READS = ['../../../../ipc/', '../../../fixtures/guard/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

export interface AttemptOptions {
  readonly isGuarded: boolean;
  readonly facts?: unknown;
  readonly network?: Partial<NetworkPolicy>;
  readonly budget?: Partial<ThreadBudget>;
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly hasNet?: boolean;
  readonly hostDirectory?: string;
  readonly poolWork?: Int32Array;
}

export interface Attempted {
  readonly worker: Worker;
  readonly outcomes: Record<string, Outcome>;
  /** `level text` */
  readonly logs: string[];
  readonly errors: Error[];
  readonly exitCode: number | null;
}

/** Resolves when all attempts are over, or the thread is. */
export async function attempt(
  t: Pick<TestContext, 'after'>,
  fixture: string,
  options: AttemptOptions,
): Promise<Attempted> {
  const { port1, port2 } = new MessageChannel();
  const network = { any: false, listen: [], connect: [], ...options.network };
  const budget = { sockets: 64, files: 16, logLinesPerSecond: 200, ...options.budget };
  const data: AttemptData = {
    port: port2,
    url: new URL(`${fixture}.ts`, FIXTURES).href,
    facts: options.facts,
    guard: options.isGuarded
      ? {
          ...{ network, budget, hostDirectory: options.hostDirectory ?? process.cwd() },
          poolWork: options.poolWork ?? null,
          ending: null,
        }
      : null,
  };
  const worker = new Worker(new URL('entry.ts', FIXTURES), {
    name: 'guard-test',
    workerData: data,
    transferList: [port2],
    env: {},
    stdin: false,
    stdout: true,
    stderr: true,
    trackUnmanagedFds: true,
    execArgv: [
      '--permission',
      ...[...READS, ...(options.read ?? [])].map((path) => `--allow-fs-read=${path}`),
      ...(options.write ?? []).map((path) => `--allow-fs-write=${path}`),
      ...(options.hasNet === true ? ['--allow-net'] : []),
      '--no-addons',
      '--no-experimental-sqlite',
      '--unhandled-rejections=strict',
      '--no-warnings',
    ],
  });
  worker.stdout.resume();
  worker.stderr.resume();
  t.after(() => worker.terminate());
  const seen = { worker, outcomes: {} as Record<string, Outcome>, logs: [] as string[], errors: [] as Error[] };
  const over = Promise.withResolvers<number | null>();
  const receive = (message: { log?: [string, string]; name?: string; outcome?: Outcome; done?: true }): void => {
    if (message.log !== undefined) seen.logs.push(message.log.join(' '));
    else if (message.name !== undefined) seen.outcomes[message.name] = message.outcome as Outcome;
    else over.resolve(null);
  };
  port1.on('message', receive);
  worker.on('error', (error) => seen.errors.push(error as Error));
  worker.once('exit', (code) => {
    // What was said before the end may still lie there.
    for (let last = receiveMessageOnPort(port1); last !== undefined; last = receiveMessageOnPort(port1))
      receive(last.message);
    port1.close();
    over.resolve(code);
  });
  return { ...seen, exitCode: await over.promise };
}

/** What came of one attempt: its value, or its error's code. */
export function result(attempted: Attempted, name: string): unknown {
  const outcome = attempted.outcomes[name];
  if (outcome === undefined) return 'not tried';
  return 'got' in outcome ? outcome.got : outcome.refused;
}

export function results(attempted: Attempted): Record<string, unknown> {
  return Object.fromEntries(Object.keys(attempted.outcomes).map((name) => [name, result(attempted, name)]));
}
