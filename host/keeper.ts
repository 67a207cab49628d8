/**
 * The tiny parent of `khook run`. A thread can abort the whole process in ways that nothing inside it can hold; the keeper is what
 * is left then. It starts the host with the flags that plugins' threads need, passes signals on, and starts the host again when it
 * died, saying why. It loads no plugin and none of the host's libraries: there is nothing in it to break.
 */

import { type ChildProcess, fork } from 'node:child_process';
import type { Clock, Timer } from '../ipc/clock.ts';
import { hostEnvironment } from './config/host-environment.ts';
import { decideHost, describeExit, type HostExit, NO_DEATHS } from './keeper-policy.ts';

/** Host → keeper. */
export type KeeperMessage =
  /** It serves. */
  | { readonly kind: 'ready' }
  /** Its loop runs; said every second. */
  | { readonly kind: 'beat' }
  /** It cannot get rid of something (a thread that does not end) and wants a fresh process. */
  | { readonly kind: 'replace'; readonly why: string };

/** Keeper → host, once: it is not the first. */
export interface RestartMessage {
  readonly kind: 'restarted';
  /** How the one before ended: `was ended by SIGKILL`. */
  readonly why: string;
  /** Of that end: Unix milliseconds. */
  readonly at: number;
  readonly isPluginsApart: boolean;
}

export interface KeeperOptions {
  readonly clock: Clock;
  /** The script that is the khook command. */
  readonly entry: string;
  /** Of the host: `run --no-keeper …`. */
  readonly args: readonly string[];
  /** Writes one log line. */
  readonly say: (level: 'info' | 'warn' | 'error', message: string) => void;
  readonly random: () => number;
}

/** Plugins' threads are asked to collect garbage before their memory is judged; a wasm memory may not take the process. */
const HOST_FLAGS = ['--expose-gc', '--wasm-max-mem-pages=4096', '--disable-warning=ExperimentalWarning'];
/** Jobs of one plugin must not keep every other file read waiting. */
const THREAD_POOL_SIZE = '16';
/**
 * What a plugin's thread had outside its heap goes back to the system when the thread has ended. By default glibc keeps it in the
 * arenas of threads that are gone, and lets large blocks into them once one such block was freed: a host that recycles much would grow.
 */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
const PLUGINS_APART = { KHOOK_ISOLATION: 'process' };
/** A host whose loop stood still for so long is ended. */
const SILENT_MS = 30_000;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Resolves with the exit code of khook when the host is gone for good. */
export function keepHost(options: KeeperOptions): Promise<number> {
  return new Promise((resolve) => new Keeper(options, resolve).start());
}

class Keeper {
  readonly #options: KeeperOptions;
  readonly #leave: (code: number) => void;
  #host: ChildProcess | null = null;
  #history = NO_DEATHS;
  #isPluginsApart = false;
  #signals = 0;
  #silence: Timer | null = null;
  #restart: Timer | null = null;
  /** That was ended because it did not answer. */
  #silenced: ChildProcess | null = null;
  #last: Pick<RestartMessage, 'why' | 'at'> | null = null;

  constructor(options: KeeperOptions, leave: (code: number) => void) {
    this.#options = options;
    this.#leave = leave;
  }

  start(): void {
    for (const signal of SIGNALS) process.on(signal, () => this.#pass(signal));
    this.#open();
  }

  #open(): void {
    const { args, entry } = this.#options;
    // A process group of its own: Ctrl-C in a terminal reaches the keeper alone, which passes it on once.
    const host = fork(entry, args, {
      execArgv: HOST_FLAGS,
      env: hostEnvironment({
        ...{ UV_THREADPOOL_SIZE: THREAD_POOL_SIZE, ...MALLOC },
        ...(this.#isPluginsApart && PLUGINS_APART),
      }),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    this.#host = host;
    // Whoever asks the new one why it is so young is to be told.
    if (this.#last !== null) {
      const message: RestartMessage = { kind: 'restarted', ...this.#last, isPluginsApart: this.#isPluginsApart };
      host.send(message, () => undefined);
    }
    let wasReady = false;
    let replaced: string | null = null;
    host.on('message', (message: KeeperMessage) => {
      if (message.kind === 'ready') wasReady = true;
      else if (message.kind === 'replace') {
        replaced = message.why;
        host.kill('SIGKILL');
      }
      this.#listen(host);
    });
    host.once('error', (error) => this.#options.say('error', `khook's host could not be started: ${error.message}`));
    host.once('exit', (code, signal) => {
      this.#ended({ code, signal, wasReady, replaced, wasSilent: this.#silenced === host });
    });
  }

  /** Anything from the host shows that its loop runs. */
  #listen(host: ChildProcess): void {
    const { clock, say } = this.#options;
    this.#silence?.cancel();
    this.#silence = clock.after(SILENT_MS, () => {
      say('error', `khook's host has not answered for ${SILENT_MS / 1000} s; it is ended and started again`);
      this.#silenced = host;
      host.kill('SIGKILL');
    });
  }

  #pass(signal: NodeJS.Signals): void {
    this.#signals += 1;
    if (this.#host !== null) this.#host.kill(signal);
    else {
      this.#restart?.cancel();
      this.#leave(0);
    }
  }

  #ended(exit: HostExit): void {
    const { clock, say, random } = this.#options;
    this.#silence?.cancel();
    this.#host = null;
    const now = clock.now();
    const decision = decideHost(exit, {
      ...{ history: this.#history, now, random: random() },
      ...{ isStopping: this.#signals > 0, isPluginsApart: this.#isPluginsApart },
    });
    if (decision.kind === 'leave') {
      this.#leave(decision.code);
      return;
    }
    this.#history = decision.history;
    this.#last = { why: describeExit(exit), at: clock.wall() };
    this.#isPluginsApart = decision.isPluginsApart;
    const apart = decision.isPluginsApart ? ', with every plugin in a process of its own' : '';
    say(
      'error',
      `khook's host ${describeExit(exit)}; it starts again in ${(decision.delayMs / 1000).toFixed(1)} s${apart}`,
    );
    this.#restart = clock.after(decision.delayMs, () => this.#open(), { holdsProcess: true });
  }
}
