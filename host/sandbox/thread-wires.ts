/**
 * The host's ends of the wires to one thread: each is read in slices, counted, and given up when something comes in that is not the
 * protocol. Runs on the host thread.
 */

import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import type { Clock } from '../../ipc/clock.ts';
import type { PluginControl } from '../../ipc/control.ts';
import type { PulseMessage, ToPlugin } from '../../ipc/messages.ts';
import { type BoundedPort, boundedPort } from '../../ipc/port-bounded.ts';
import { type Remote, wrapRemote } from '../../ipc/remote.ts';
import type { Share } from './attention.ts';
import { readMessage } from './event-wire.ts';
import { type Exit, exitOf } from './exit.ts';
import { FloodWatch } from './flood-watch.ts';
import type { VesselListener, VesselRequest } from './vessel.ts';

/** After something that is not the protocol: long enough to tell a slip from a flood. */
const FLOOD_MS = 50;
const FLOOD_MESSAGES = 100;
const FLOOD_BUSY_MS = 15;

export interface ThreadWiresOptions {
  readonly request: VesselRequest;
  readonly clock: Clock;
  /** Of the host's time. */
  readonly share: Share;
  /** The plugin broke the protocol or said too much: what it says from now on is not heard. */
  readonly onBreach: (exit: Exit) => void;
}

export class ThreadWires {
  readonly control: Remote<PluginControl>;
  readonly pulse: BoundedPort<PulseMessage, unknown>;
  /** What the thread is born with. */
  readonly threadEnds: { readonly control: MessagePort; readonly events: MessagePort; readonly pulse: MessagePort };
  readonly #options: ThreadWiresOptions;
  readonly #events: BoundedPort<ToPlugin, unknown>;
  readonly #flood: FloodWatch;
  /** What came in since the protocol was broken, and is thrown away; null before that. */
  #waste: { messages: number; busyMs: number } | null = null;
  #breached: Exit | null = null;
  #isDeaf = false;

  constructor(options: ThreadWiresOptions) {
    this.#options = options;
    const { request, clock } = options;
    const { logLinesPerSecond } = request.spec.limits;
    const onFlood = ({ reason, detail }: { reason: Exit['reason']; detail: string }): void =>
      this.#giveUp(exitOf(reason, detail));
    this.#flood = new FloodWatch({ clock, logLinesPerSecond, onFlood, share: options.share });
    const channels = { control: new MessageChannel(), events: new MessageChannel(), pulse: new MessageChannel() };
    this.threadEnds = {
      control: channels.control.port2,
      events: channels.events.port2,
      pulse: channels.pulse.port2,
    };
    this.#events = this.#open('events', channels.events.port1, () => this.#flood.restMs);
    this.pulse = this.#open('pulse', channels.pulse.port1);
    this.control = wrapRemote<PluginControl>(this.#open('control', channels.control.port1), {
      clock,
      peer: `plugin ${request.birth.plugin}`,
      onFault: (fault) => this.breach('control', fault),
    });
    const listener = metered(request.listener, this.#flood);
    this.#events.receive((message) => {
      if (this.#isMuted) return;
      const fault = readMessage(message, request.birth.generation, listener);
      if (fault !== null) this.breach('events', fault);
    });
  }

  post(message: ToPlugin): void {
    this.#events.post(message);
  }

  /** A thread has a wire of Node's own beside these; the runtime takes it away, so whoever speaks on it went past the runtime. */
  guard(worker: Worker): void {
    const port = publicPort(worker);
    if (port === null) worker.on('message', () => this.breach('unused', 'a message'));
    else {
      port.removeAllListeners('message');
      this.#open('unused', port).receive(() => this.breach('unused', 'a message'));
    }
  }

  /** How it broke the protocol, from then on; `onBreach` is told a moment later, when it is known whether it was more than a slip. */
  get breached(): Exit | null {
    return this.#breached;
  }

  breach(wire: string, fault: string): void {
    if (this.#isMuted) return;
    const waste = { messages: 0, busyMs: 0 };
    const slip = exitOf('protocol', `sent ${fault} on its ${wire} wire`);
    this.#waste = waste;
    this.#breached = slip;
    this.#options.clock.after(FLOOD_MS, () => {
      const isFlood = waste.messages > FLOOD_MESSAGES || waste.busyMs > FLOOD_BUSY_MS;
      const detail = `flooded its ${wire} wire: ${waste.messages} messages within ${FLOOD_MS} ms, the first of them ${fault}`;
      this.#giveUp(isFlood ? exitOf('flood', detail) : slip);
    });
  }

  /** Nothing is heard any more. */
  mute(): void {
    this.#isDeaf = true;
  }

  /** Of a thread that ended by itself, its last words are heard. */
  close(why: string): void {
    if (!this.#isMuted) this.#events.readLast();
    this.#isDeaf = true;
    this.control.close(why);
    this.#events.close();
    this.pulse.close();
  }

  get #isMuted(): boolean {
    return this.#isDeaf || this.#waste !== null;
  }

  #giveUp(exit: Exit): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    this.#breached = exit;
    this.#options.onBreach(exit);
  }

  #open<Out>(wire: string, port: MessagePort, restMs?: () => number): BoundedPort<Out, unknown> {
    return boundedPort(port, {
      clock: this.#options.clock,
      ...(restMs !== undefined && { restMs }),
      onFault: (fault) => this.breach(wire, fault),
      onSlice: (slice) => {
        if (this.#waste === null) this.#flood.slice(wire, slice);
        else {
          this.#waste.messages += slice.messages;
          this.#waste.busyMs += slice.ms;
        }
      },
    });
  }
}

function metered(listener: VesselListener, flood: FloodWatch): VesselListener {
  return {
    frame: (frame) => {
      flood.frame();
      listener.frame(frame);
    },
    log: (record) => {
      if (flood.takesLog()) listener.log(record);
    },
    logsDropped: (count) => listener.logsDropped(count),
    metric: (record) => {
      if (flood.takesMetric()) listener.metric(record);
    },
    eventRefused: (code, message) => listener.eventRefused(code, message),
    credentialsRefused: () => listener.credentialsRefused(),
    exit: (exit) => listener.exit(exit),
  };
}

/** Node keeps it under a symbol of its own. */
function publicPort(worker: Worker): MessagePort | null {
  const symbol = Object.getOwnPropertySymbols(worker).find(({ description }) => description === 'kPublicPort');
  const port = symbol === undefined ? null : (worker as unknown as Record<symbol, unknown>)[symbol];
  return port instanceof Object && 'addEventListener' in port ? (port as MessagePort) : null;
}
