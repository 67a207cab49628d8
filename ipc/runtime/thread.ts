// Runs in the plugin's thread.
/** The first code in a plugin's thread: takes its three ports, gives up what it must not keep, and waits for the host's word. */

import { type MessagePort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { type Birth, CONTROL_METHODS, type PluginControl } from '../control.ts';
import type { PulseMessage, ToHost, ToPlugin } from '../messages.ts';
import { messagePort } from '../port-message.ts';
import { exposeRemote } from '../remote.ts';
import { loadBundle, supplyPluginApi } from './bundle-loader.ts';
import { collect } from './collection.ts';
import { Ending } from './guard/ending.ts';
import { guardThread } from './guard/guard.ts';
import { PluginRuntime } from './plugin-runtime.ts';
import { answerPulse } from './pulse.ts';

export interface ThreadData {
  readonly birth: Birth;
  /** The modules of the runtime, for what was evaluated before this file: see host/sandbox/runtime-code.ts. */
  readonly code: unknown;
  readonly control: MessagePort;
  readonly events: MessagePort;
  readonly pulse: MessagePort;
  /** Of one Int32: see `GuardOptions.poolWork`. */
  readonly poolWork: SharedArrayBuffer;
  /** See `GuardOptions.ending`. */
  readonly ending: Int32Array;
  /** See `GuardOptions.uses`. */
  readonly uses: SharedArrayBuffer;
}

const { birth, control, events, pulse, poolWork, ending, uses } = workerData as ThreadData;

supplyPluginApi();

const runtime = new PluginRuntime({
  birth,
  port: messagePort<ToHost, ToPlugin>(events),
  clock: systemClock,
  load: loadBundle,
  tidy: () => collect('thorough'),
});
process.on('exit', () => runtime.flush());
guardThread({
  network: birth.network,
  budget: birth.budget,
  hostDirectory: birth.hostDirectory,
  ports: [control, events, pulse],
  poolWork: new Int32Array(poolWork),
  ending,
  uses: new Int32Array(uses),
  log: (level, text) => runtime.log.print(level, text),
  flush: () => runtime.flush(),
  report: null,
});

const end = new Ending(ending);
answerPulse(messagePort<PulseMessage, PulseMessage>(pulse), { heed: () => end.heed() });

exposeRemote<PluginControl>(messagePort(control), runtime, CONTROL_METHODS);
