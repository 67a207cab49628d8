/**
 * A vessel in a child process: what no thread can hold, an abort, a blocked system call, a heap without end, ends the child and
 * nothing else. Runs on the host thread.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../ipc/clock.ts';
import { CodedError } from '../../ipc/errors.ts';
import { CONTROL_FD, EVENTS_FD } from '../../ipc/process-life.ts';
import { exitOfChild, exitOfError } from './child-exit.ts';
import { ChildProfile } from './child-profile.ts';
import type { Exit } from './exit.ts';
import { forwardOutput } from './output-lines.ts';
import { processArguments } from './process-flags.ts';
import { ALLOCATOR_SETTINGS, ProcessSigns } from './process-signs.ts';
import { ProcessWires } from './process-wires.ts';
import type { ProfileKind } from './profile.ts';
import { runtimeCode } from './runtime-code.ts';
import { threadEnvironment } from './thread-flags.ts';
import type { Vessel, VesselRequest } from './vessel.ts';
import type { Watchdog } from './watchdog.ts';
import type { Watch } from './watched.ts';

export interface ProcessVesselOptions {
  readonly clock: Clock;
  /** Where granted environment values come from. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Judges its vital signs. */
  readonly watchdog: Pick<Watchdog, 'watch' | 'attention'>;
  /** URL of the child's first module in place of khook's own: for a child that does not keep to the protocol. */
  readonly runtime?: string;
}

const RUNTIME = new URL('../../ipc/runtime/process.ts', import.meta.url).href;
const STDERR_TAIL = 8_192;
/** What a child wrote before it ended is read within this time. */
const CLOSE_MS = 1_000;

/** Throws when the system refuses a process. */
export function openProcessVessel(request: VesselRequest, options: ProcessVesselOptions): Vessel {
  return new ProcessVessel(request, options);
}

class ProcessVessel implements Vessel {
  readonly generation: number;
  readonly #request: VesselRequest;
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #signs: ProcessSigns;
  readonly #wires: ProcessWires;
  readonly #watch: Watch;
  readonly #gone = Promise.withResolvers<void>();
  readonly #profile = new ChildProfile();
  #stderr = '';
  #closing: Timer | null = null;
  /** What its exit will say: the plugin's last words, or why it was ended. */
  #ending: Exit | null = null;
  #isKilled = false;
  #isOver = false;

  constructor(request: VesselRequest, { clock, variables, watchdog, runtime = RUNTIME }: ProcessVesselOptions) {
    const { spec, birth } = request;
    this.generation = birth.generation;
    this.#request = request;
    this.#clock = clock;
    const child = spawn(process.execPath, processArguments(spec, process.pid), {
      cwd: birth.hostDirectory,
      // What was granted comes with the birth: here it could steer the child's Node before the runtime stands, and be read in /proc.
      env: ALLOCATOR_SETTINGS,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C in a terminal is the host's to hear, which stops its plugins in order.
      detached: true,
    });
    this.#child = child;
    const signs = new ProcessSigns(pidOf(child));
    this.#signs = signs;
    this.#listen();
    child.stdin?.on('error', () => undefined).end(JSON.stringify(runtimeCode(runtime)));
    const wires = new ProcessWires({
      request,
      clock,
      share: watchdog.attention.share(),
      streams: { control: child.stdio[CONTROL_FD] as Duplex, events: child.stdio[EVENTS_FD] as Duplex },
      onBreach: (exit) => void this.terminate(exit),
      onBorn: (readings) => signs.born(readings),
      onReadings: (readings) => signs.said(readings),
      onProfile: (gzipped, fault) => this.#profile.take(gzipped, fault),
      onFailed: (error) => {
        this.#ending ??= exitOfError(error);
      },
    });
    this.#wires = wires;
    const watch = watchdog.watch({
      plugin: birth.plugin,
      generation: birth.generation,
      limits: spec.limits,
      sharesHost: false,
      residentBytes: () => signs.residentBytes(),
      outside: () => signs.outside(),
      poolWork: () => 0,
      sizes: async () => {
        wires.life.post({ kind: 'read' });
        return signs.sizes();
      },
      pulse: (message) => wires.pulse.post(message),
      terminate: (exit) => void this.terminate(exit),
    });
    this.#watch = watch;
    wires.pulse.receive((message) => {
      const fault = watch.answered(message);
      if (fault !== null) wires.breach('pulse', `sent ${fault}`);
    });
    wires.life.post({ kind: 'birth', birth, environment: threadEnvironment(spec.permissions.env, variables) });
  }

  get control(): Vessel['control'] {
    return this.#wires.control;
  }

  get vitals(): Vessel['vitals'] {
    return this.#watch.vitals;
  }

  get history(): Vessel['history'] {
    return this.#watch.history;
  }

  get uses(): Vessel['uses'] {
    return this.#signs.uses;
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  post(message: Parameters<Vessel['post']>[0]): void {
    this.#wires.post(message);
  }

  sample(): Promise<void> {
    return this.#watch.sample();
  }

  profile(kind: ProfileKind, ms: number): Promise<string> {
    return this.#profile.ask(() => this.#wires.life.post({ kind: 'profile', what: kind, ms }));
  }

  async terminate(why: Exit): Promise<void> {
    if (this.#isOver) return;
    this.#ending ??= why;
    this.#isKilled = true;
    this.#wires.mute();
    this.#child.kill('SIGKILL');
    await this.#gone.promise;
  }

  #listen(): void {
    const { stdout, stderr } = this.#child;
    const { listener } = this.#request;
    const clock = this.#clock;
    this.#child.on('error', () => undefined);
    this.#child.once('exit', (code, signal) => {
      const end = (): void => this.#end(this.#exit(code, signal));
      // Closed are its pipes when all that it said has been read. A process that it left behind could hold them open.
      this.#child.once('close', end);
      this.#closing = clock.after(CLOSE_MS, end);
    });
    if (stdout !== null) forwardOutput(stdout, { level: 'info', clock, listener });
    if (stderr === null) return;
    forwardOutput(stderr, { level: 'error', clock, listener });
    stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL);
    });
  }

  /** What it died of counts, unless it died of being ended; its last words say more than its exit code. */
  #exit(code: number | null, signal: NodeJS.Signals | null): Exit {
    const isOwnEnd = signal !== null && !(signal === 'SIGKILL' && this.#isKilled);
    return (isOwnEnd ? null : this.#ending) ?? exitOfChild({ code, signal, stderr: this.#stderr });
  }

  #end(exit: Exit): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#closing?.cancel();
    this.#watch.close();
    this.#wires.close(exit.detail);
    this.#profile.end(exit.detail);
    this.#request.listener.exit(exit);
    this.#gone.resolve();
  }
}

/** Throws when there is no process. Why is said a moment later, when nobody can be told any more. */
function pidOf(child: ChildProcess): number {
  if (child.pid !== undefined) return child.pid;
  child.on('error', () => undefined);
  throw new CodedError(
    'IPC_ERR_CLOSED',
    'its process could not be started: the system refused it; look at the limits on processes, open files and memory',
  );
}
