/** One server of the control plane: a process with a log file, which can be stopped, killed, frozen and started again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { eventually } from '../eventually.ts';
import type { Reaper } from './reaper.ts';

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Appended to by each life. */
  readonly logFile: string;
  readonly reaper: Reaper;
  /** Truthy once the server serves; may throw until then. */
  readonly isReady: () => Promise<boolean>;
}

/** Generous: the machine may be busy with other tests. */
const READY_MS = 90_000;
const STOP_MS = 20_000;

export class ServerProcess {
  readonly #options: ServerCommand;
  #child: ChildProcess | null = null;
  #exit: Promise<string> = Promise.resolve('never started');

  constructor(options: ServerCommand) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get log(): string {
    try {
      return readFileSync(this.#options.logFile, 'utf8');
    } catch {
      return '';
    }
  }

  /** Resolves when it serves; rejects with the end of its log when it ends first. */
  async start(): Promise<void> {
    const { name, command, args, logFile, reaper, isReady } = this.#options;
    if (this.#child !== null) throw new Error(`${name} runs already`);
    const log = openSync(logFile, 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], cwd: '/' });
    closeSync(log);
    const { pid } = child;
    if (pid !== undefined) reaper.watch(pid);
    this.#child = child;
    this.#exit = new Promise((resolve) => {
      const ended = (how: string): void => {
        if (pid !== undefined) reaper.forget(pid);
        if (this.#child === child) this.#child = null;
        resolve(how);
      };
      child.once('error', (error) => ended(error.message));
      child.once('exit', (code, signal) => ended(`exit ${code ?? signal}`));
    });
    const early = this.#exit.then((how) => Promise.reject(new Error(`${name} ended with ${how}:\n${this.#tail()}`)));
    early.catch(() => undefined);
    const ready = eventually(async () => {
      if (this.#child !== child) return true;
      return isReady();
    }, READY_MS).catch((error: unknown) => {
      throw new Error(`${name} does not serve:\n${this.#tail()}`, { cause: error });
    });
    await Promise.race([ready, early]);
    // One that ended is told by the other promise.
    if (this.#child !== child) await early;
  }

  /** In good order; killed when it takes too long. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await this.#exit;
    clearTimeout(timer);
  }

  /** `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exit;
  }

  /** Stops to answer without closing anything, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  #tail(): string {
    return this.log.slice(-3_000);
  }
}
