/** A vessel in a worker thread: three ports, flags instead of trust, and vital signs read from outside. Runs on the host thread. */

import { MessageChannel, Worker } from 'node:worker_threads';
import type { Clock } from '../../ipc/clock.ts';
import type { PluginControl } from '../../ipc/control.ts';
import { codeOf, toWireError } from '../../ipc/errors.ts';
import type { ToPlugin } from '../../ipc/messages.ts';
import { messagePort } from '../../ipc/port-message.ts';
import { wrapRemote } from '../../ipc/remote.ts';
import type { ThreadData } from '../../ipc/runtime/thread.ts';
import { readMessage } from './event-wire.ts';
import type { Exit } from './exit.ts';
import { forwardOutput } from './output-lines.ts';
import { threadEnvironment, threadFlags } from './thread-flags.ts';
import { NO_VITAL_SIGNS, type Vessel, type VesselRequest } from './vessel.ts';

const RUNTIME = new URL('../../ipc/runtime/thread.ts', import.meta.url);
const MIB = 1024 * 1024;

export interface ThreadVesselOptions {
  readonly clock: Clock;
  /** Where granted environment values come from. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export function openThreadVessel(request: VesselRequest, options: ThreadVesselOptions): Vessel {
  const { spec, birth, listener } = request;
  const { clock } = options;
  const control = new MessageChannel();
  const events = new MessageChannel();
  const pulse = new MessageChannel();
  const data: ThreadData = { birth, control: control.port2, events: events.port2, pulse: pulse.port2 };
  const worker = new Worker(RUNTIME, {
    name: birth.plugin.slice(0, 15),
    workerData: data,
    transferList: [control.port2, events.port2, pulse.port2],
    execArgv: threadFlags(spec),
    env: threadEnvironment(spec.permissions.env, options.variables),
    stdin: false,
    stdout: true,
    stderr: true,
    trackUnmanagedFds: true,
    resourceLimits: {
      // V8 ends the thread here; four times the limit leaves room for garbage that a healthy plugin makes between collections.
      maxOldGenerationSizeMb: Math.ceil((4 * spec.limits.memoryBytes) / MIB),
      maxYoungGenerationSizeMb: 16,
    },
  });

  let ended = false;
  let ending: Exit | null = null;
  let vitals = NO_VITAL_SIGNS;
  let utilization = worker.performance.eventLoopUtilization();
  const eventsPort = messagePort<ToPlugin, unknown>(events.port1);

  const remote = wrapRemote<PluginControl>(messagePort(control.port1), {
    clock,
    peer: `plugin ${birth.plugin}`,
    onFault: (fault) => void terminate(exitOf('protocol', `sent ${fault} on its control wire`)),
  });
  const end = (exit: Exit): void => {
    if (ended) return;
    ended = true;
    remote.close(exit.detail);
    for (const port of [control.port1, events.port1, pulse.port1]) port.close();
    listener.exit(exit);
  };
  const terminate = async (why: Exit): Promise<void> => {
    ending ??= why;
    await worker.terminate();
    end(ending);
  };

  eventsPort.receive((message) => {
    if (ended || ending !== null) return;
    const fault = readMessage(message, birth.generation, listener);
    if (fault !== null) void terminate(exitOf('protocol', `sent ${fault} on its events wire`));
  });
  forwardOutput(worker.stdout, { level: 'info', clock, listener });
  forwardOutput(worker.stderr, { level: 'error', clock, listener });
  worker.on('error', (error) => {
    // What the plugin threw says more than the reason for which it happened to be ended.
    ending = exitOfError(error);
  });
  worker.once('exit', (code) => end(ending ?? exitOf('exited', `its thread ended with code ${code}`)));

  return {
    generation: birth.generation,
    control: remote,
    post: (message) => eventsPort.post(message),
    get vitals() {
      return vitals;
    },
    async sample() {
      if (ended) return;
      try {
        const [heap, cpu] = await Promise.all([worker.getHeapStatistics(), worker.cpuUsage()]);
        const now = worker.performance.eventLoopUtilization();
        vitals = {
          heapBytes: heap.used_heap_size,
          externalBytes: heap.external_memory,
          cpuSeconds: (cpu.user + cpu.system) / 1e6,
          eventLoopUtilization: worker.performance.eventLoopUtilization(now, utilization).utilization,
        };
        utilization = now;
      } catch {
        // The thread ended while it was read; its exit is reported by the exit itself.
      }
    },
    terminate,
  };
}

function exitOf(reason: Exit['reason'], detail: string): Exit {
  return { reason, detail, stack: '', code: '' };
}

/** An uncaught error of the plugin's thread. */
function exitOfError(error: unknown): Exit {
  const wire = toWireError(error, 'PLUGIN_ERR_THROWN');
  const isMemory = codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY';
  return {
    reason: isMemory ? 'out_of_memory' : 'crash',
    detail: wire.message.split('\n', 1)[0] ?? '',
    stack: wire.stack,
    code: wire.code,
  };
}
