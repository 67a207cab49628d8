// Runs in the plugin's child process.
/** The first code in a plugin's process: opens its two pipes, gives up what it must not keep, and waits for the host's word. */

import { Socket } from 'node:net';
import { systemClock } from '../clock.ts';
import { CONTROL_METHODS, type PluginControl } from '../control.ts';
import type { ToHost, ToPlugin } from '../messages.ts';
import { Pipe } from '../port-pipe.ts';
import {
  CONTROL_CHANNEL,
  CONTROL_CHANNELS,
  CONTROL_FD,
  EVENTS_FD,
  type FromChild,
  LIFE_CHANNEL,
  PULSE_CHANNEL,
  type Readings,
  type ToChild,
} from '../process-life.ts';
import { exposeRemote } from '../remote.ts';
import { readUses, USES } from '../uses.ts';
import { loadBundle, supplyPluginApi } from './bundle-loader.ts';
import { collect } from './collection.ts';
import { guardThread } from './guard/guard.ts';
import { watchHost } from './host-watch.ts';
import { PluginRuntime } from './plugin-runtime.ts';
import { recordProfile } from './profile.ts';
import { answerPulse } from './pulse.ts';
import { recordsOutlet } from './records-outlet.ts';

/** What the host has not read by then is not waited for. */
const LAST_WORDS_MS = 200;
/** Frames are bounded by their credit and records in their outlet: more than this is an error of the runtime itself. */
const MAX_QUEUE_BYTES = 64 * 1024 * 1024;

// Taken before a plugin can replace them.
const { env, pid } = process;
const kill = process.kill.bind(process);
const exit = process.exit.bind(process);

watchHost(Number(process.argv[2]));

/** Without its host it has no reason to live, and nobody to tell. */
const die = (): void => void kill(pid, 'SIGKILL');
const openPipe = (fd: number, channels: number): Pipe => {
  const socket = new Socket({ fd, readable: true, writable: true });
  const pipe = new Pipe(socket, { clock: systemClock, channels, maxQueueBytes: MAX_QUEUE_BYTES, onFault: die });
  pipe.onClose(die);
  return pipe;
};
const control = openPipe(CONTROL_FD, CONTROL_CHANNELS);
const events = openPipe(EVENTS_FD, 1);
const life = control.port<FromChild, ToChild>(LIFE_CHANNEL);

const uses = new Int32Array(USES.length);

const readings = (): Readings => {
  const { heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const { active } = performance.eventLoopUtilization();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    cpuSeconds: (user + system) / 1e6,
    loopActiveMs: active,
    uses: readUses(uses),
  };
};

life.receive((message) => {
  if (message.kind === 'read') life.post({ kind: 'readings', readings: readings() });
  else if (message.kind === 'profile')
    recordProfile(message, { clock: systemClock, answer: (said) => life.post(said) });
  else live(message);
});

function live({ birth, environment }: ToChild & { kind: 'birth' }): void {
  for (const name of Object.keys(env)) delete env[name];
  Object.assign(env, environment);
  supplyPluginApi();
  const runtime = new PluginRuntime({
    birth,
    port: recordsOutlet({ port: events.port<ToHost, ToPlugin>(0), queuedBytes: () => events.queuedBytes }),
    clock: systemClock,
    load: loadBundle,
    tidy: () => collect('thorough'),
  });
  process.on('exit', () => runtime.flush());
  guardThread({
    network: birth.network,
    budget: birth.budget,
    hostDirectory: null,
    ports: [],
    poolWork: null,
    ending: null,
    uses,
    log: (level, text) => runtime.log.print(level, text),
    flush: () => runtime.flush(),
    report: (error) => {
      life.post({ kind: 'failed', error });
      if (control.queuedBytes === 0) exit(1);
      systemClock.after(LAST_WORDS_MS, () => exit(1));
    },
  });
  answerPulse(control.port(PULSE_CHANNEL), { thoroughness: 'thorough' });
  exposeRemote<PluginControl>(control.port(CONTROL_CHANNEL), runtime, CONTROL_METHODS);
  life.post({ kind: 'born', readings: readings() });
}
