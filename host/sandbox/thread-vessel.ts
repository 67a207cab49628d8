/** A vessel in a worker thread: three ports, flags instead of trust, and vital signs read from outside. Runs on the host thread. */

import { Worker } from 'node:worker_threads';
import type { Clock } from '../../ipc/clock.ts';
import { endingCells, IS_NEAR, MADE, WAITS } from '../../ipc/ending-cells.ts';
import { CodedError, codeOf, toWireError } from '../../ipc/errors.ts';
import { pluginFrames } from '../../ipc/plugin-frames.ts';
import type { ThreadData } from '../../ipc/runtime/thread.ts';
import { readUses, USES } from '../../ipc/uses.ts';
import { oneLine } from '../base/one-line.ts';
import { within } from '../base/within.ts';
import { exposeCollection } from './collection.ts';
import { type Exit, type ExitReason, exitOf } from './exit.ts';
import { forwardOutput } from './output-lines.ts';
import { record } from './profile.ts';
import { runtimeCode, THREAD_ENTRY } from './runtime-code.ts';
import { settled } from './thread-end.ts';
import { threadEnvironment, threadFlags } from './thread-flags.ts';
import { ThreadSigns, threadName } from './thread-signs.ts';
import { ThreadWires } from './thread-wires.ts';
import type { Vessel, VesselRequest } from './vessel.ts';
import { Watchdog } from './watchdog.ts';
import { ZOMBIE_AFTER_MS } from './zombies.ts';

const MIB = 1024 * 1024;
/** V8 may abort the whole process when a thread reaches its own limit, so that one stands where the watchdog has long ended it. */
const V8_LIMIT_FACTOR = 48;
const YOUNG_GENERATION_MB = 16;
/** How long the end of a thread is waited for before its plugin may start anew; nearly all end within milliseconds. */
const SLOT_MS = 100;

const WATCHDOG_REASONS: readonly ExitReason[] = ['leak', 'out_of_memory', 'hang', 'flood', 'protocol'];

export interface ThreadVesselOptions {
  readonly clock: Clock;
  /** Where granted environment values come from. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Judges its vital signs. Absent: it has one of its own, which sees no other thread. */
  readonly watchdog?: Watchdog;
  /** URL of the thread's first module in place of khook's own: for a thread that does not keep to the protocol. */
  readonly runtime?: string;
}

/** Throws while a thread of an earlier run cannot be ended: what holds it would soon hold others. */
export function openThreadVessel(request: VesselRequest, options: ThreadVesselOptions): Vessel {
  const { spec, birth, listener } = request;
  const { clock } = options;
  const watchdog = options.watchdog ?? new Watchdog({ clock });
  const held = watchdog.zombiesOf(birth.plugin);
  if (held > 0) throw new CodedError('PLUGIN_ERR_LOAD', heldText(held));
  exposeCollection();
  const wires = new ThreadWires({
    request,
    clock,
    share: watchdog.attention.share(),
    onBreach: (exit) => void terminate(exit),
  });
  const name = threadName(birth.plugin);
  const poolWork = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const cells = endingCells();
  const uses = new SharedArrayBuffer(USES.length * Int32Array.BYTES_PER_ELEMENT);
  const data: ThreadData = {
    birth,
    code: runtimeCode(options.runtime),
    poolWork,
    ending: cells,
    uses,
    ...wires.threadEnds,
  };
  const worker = new Worker(THREAD_ENTRY, {
    eval: true,
    name,
    workerData: data,
    transferList: Object.values(wires.threadEnds),
    execArgv: threadFlags(spec),
    env: threadEnvironment(spec.permissions.env, options.variables),
    stdin: false,
    stdout: true,
    stderr: true,
    trackUnmanagedFds: true,
    resourceLimits: {
      maxOldGenerationSizeMb: Math.ceil((V8_LIMIT_FACTOR * spec.limits.memoryBytes) / MIB),
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
    },
  });
  wires.guard(worker);
  const signs = new ThreadSigns(worker, name);
  const work = new Int32Array(poolWork);
  const used = new Int32Array(uses);
  const over = Promise.withResolvers<void>();
  let ended = false;
  let ending: Exit | null = null;
  let gone: Promise<unknown> | null = null;

  const watch = watchdog.watch({
    plugin: birth.plugin,
    generation: birth.generation,
    limits: spec.limits,
    sharesHost: true,
    residentBytes: () => process.memoryUsage.rss(),
    outside: () => signs.outside(),
    poolWork: () => Atomics.load(work, 0),
    sizes: () => signs.sizes(),
    pulse: (message) => wires.pulse.post(message),
    terminate: (exit) => void terminate(exit),
  });
  wires.pulse.receive((message) => {
    const fault = watch.answered(message);
    if (fault !== null) wires.breach('pulse', fault);
  });

  const end = (exit: Exit): void => {
    if (ended) return;
    ended = true;
    watch.close();
    wires.close(exit.detail);
    if (options.watchdog === undefined) watchdog[Symbol.dispose]();
    listener.exit(exit);
  };
  /** Where its end could abort the process, it is told of it first: whatever keeps it busy, or wakes it up, it learns of it. */
  const endThread = async (): Promise<void> => {
    Atomics.store(cells, IS_NEAR, 1);
    if (Atomics.load(cells, MADE) > 0) {
      wires.pulse.post({ kind: 'ping', n: 0 });
      await settled(
        () => ({ isWaiting: Atomics.load(cells, WAITS) === 1, cpuSeconds: signs.outside().cpuSeconds }),
        cells,
        clock,
      );
    }
    await worker.terminate();
  };
  const terminate = async (why: Exit): Promise<void> => {
    if (ended) return;
    ending ??= wires.breached ?? why;
    wires.mute();
    if (gone === null) {
      // Also when it ends by itself meanwhile.
      gone = over.promise;
      void endThread();
      watchdog.awaitEnd(birth, gone);
    }
    // What a thread listens on is its own until it is gone: its successor waits longer.
    const waitMs = spec.permissions.net.listen.length > 0 ? ZOMBIE_AFTER_MS : SLOT_MS;
    await within(clock, gone, waitMs);
    if (!ended) signs.stepBack();
    end(ending);
  };

  forwardOutput(worker.stdout, { level: 'info', clock, listener });
  forwardOutput(worker.stderr, { level: 'error', clock, listener });
  worker.on('error', (error) => {
    // What the plugin threw says more than the reason for which it happened to be ended, unless that reason explains what it threw.
    if (ending === null || !WATCHDOG_REASONS.includes(ending.reason)) ending = exitOfError(error);
  });
  worker.once('exit', (code) => {
    over.resolve();
    end(ending ?? wires.breached ?? exitOf('exited', `its thread ended with code ${code}`));
  });

  return {
    generation: birth.generation,
    control: wires.control,
    post: (message) => wires.post(message),
    get vitals() {
      return watch.vitals;
    },
    get history() {
      return watch.history;
    },
    sample: () => watch.sample(),
    get uses() {
      return readUses(used);
    },
    profile: (kind, ms) =>
      record(clock, ms, () => (kind === 'cpu' ? worker.startCpuProfile() : worker.startHeapProfile())),
    terminate,
    gone: over.promise,
  };
}

/** An uncaught error of the plugin's thread. */
function exitOfError(error: unknown): Exit {
  const wire = toWireError(error, 'PLUGIN_ERR_THROWN');
  const isMemory = codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY';
  return {
    reason: isMemory ? 'out_of_memory' : 'crash',
    detail: oneLine(wire.message),
    stack: pluginFrames(wire.stack),
    code: wire.code,
  };
}

function heldText(threads: number): string {
  const which = threads === 1 ? 'a thread of an earlier run is' : `${threads} threads of earlier runs are`;
  return `${which} still there: native code or a system call holds on to it and nothing can end it; with isolation: process it could be ended`;
}
