/**
 * The host's ends of the two pipes to one child: control, pulse and life on the first, events on the second. Each is read in slices,
 * counted, and given up when something comes in that is not the protocol. Runs on the host thread.
 */

import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../ipc/clock.ts';
import type { PluginControl } from '../../ipc/control.ts';
import { isWireError, textOf, type WireError } from '../../ipc/errors.ts';
import type { PulseMessage, ToPlugin } from '../../ipc/messages.ts';
import type { Port } from '../../ipc/port.ts';
import { Pipe } from '../../ipc/port-pipe.ts';
import {
  CONTROL_CHANNEL,
  CONTROL_CHANNELS,
  isReadings,
  LIFE_CHANNEL,
  PULSE_CHANNEL,
  type Readings,
  type ToChild,
} from '../../ipc/process-life.ts';
import { type Remote, wrapRemote } from '../../ipc/remote.ts';
import type { Share } from './attention.ts';
import { readMessage } from './event-wire.ts';
import { type Exit, exitOf } from './exit.ts';
import { FloodWatch } from './flood-watch.ts';
import type { VesselListener, VesselRequest } from './vessel.ts';

/** Credit, acks and calls are small and few: a child that leaves so much of them unread does not read. */
const MAX_QUEUE_BYTES = 4 * 1024 * 1024;
/** A child that ends closes its pipes, and its end is known a moment later. */
const CLOSED_MS = 1_000;

export interface ProcessWiresOptions {
  readonly request: VesselRequest;
  readonly clock: Clock;
  /** Of the host's time. */
  readonly share: Share;
  readonly streams: { readonly control: Duplex; readonly events: Duplex };
  /** The plugin broke the protocol or said too much: what it says from now on is not heard. */
  readonly onBreach: (exit: Exit) => void;
  readonly onBorn: (readings: Readings) => void;
  readonly onReadings: (readings: Readings) => void;
  /** A profile, or why there is none; false when none was asked for. */
  readonly onProfile: (gzipped: string, fault: string) => boolean;
  /** An uncaught error: its last words. */
  readonly onFailed: (error: WireError) => void;
}

export class ProcessWires {
  readonly control: Remote<PluginControl>;
  readonly pulse: Port<PulseMessage, unknown>;
  readonly life: Port<ToChild, unknown>;
  readonly #options: ProcessWiresOptions;
  readonly #events: Port<ToPlugin, unknown>;
  readonly #flood: FloodWatch;
  readonly #pipes: Pipe[] = [];
  readonly #timers: Timer[] = [];
  #isDeaf = false;

  constructor(options: ProcessWiresOptions) {
    this.#options = options;
    const { request, clock, streams } = options;
    const { generation, plugin } = request.birth;
    const { logLinesPerSecond } = request.spec.limits;
    const onFlood = ({ reason, detail }: { reason: Exit['reason']; detail: string }): void =>
      this.#giveUp(exitOf(reason, detail));
    this.#flood = new FloodWatch({ clock, logLinesPerSecond, onFlood, share: options.share });
    const control = this.#open('control', { stream: streams.control, channels: CONTROL_CHANNELS });
    const events = this.#open('events', { stream: streams.events, channels: 1 });
    const calls = control.port<unknown, unknown>(CONTROL_CHANNEL);
    this.control = wrapRemote<PluginControl>(
      // Who waits for an answer is told when it is known how the child ended: the pipe closes a moment before that.
      { ...calls, onClose: () => undefined },
      { clock, peer: `plugin ${plugin}`, onFault: (fault) => this.breach('control', `sent ${fault}`) },
    );
    this.pulse = control.port(PULSE_CHANNEL);
    this.life = control.port(LIFE_CHANNEL);
    this.life.receive((message) => this.#hearLife(message));
    this.#events = events.port(0);
    const listener = metered(request.listener, this.#flood);
    this.#events.receive((message) => {
      const fault = this.#isDeaf ? null : readMessage(message, generation, listener);
      if (fault !== null) this.breach('events', `sent ${fault}`);
    });
  }

  /** Credit and acks. */
  post(message: ToPlugin): void {
    this.#events.post(message);
  }

  breach(wire: string, fault: string): void {
    this.#giveUp(exitOf('protocol', `${fault} on its ${wire} wire`));
  }

  /** What comes in from now on is not heard. */
  mute(): void {
    this.#isDeaf = true;
  }

  close(why: string): void {
    this.#isDeaf = true;
    for (const timer of this.#timers) timer.cancel();
    this.control.close(why);
    for (const pipe of this.#pipes) pipe.close();
  }

  #open(wire: string, { stream, channels }: { readonly stream: Duplex; readonly channels: number }): Pipe {
    const { clock } = this.#options;
    const pipe = new Pipe(stream, {
      clock,
      channels,
      maxQueueBytes: MAX_QUEUE_BYTES,
      // Control and pulse say little, and are never waited for.
      restMs: () => (wire === 'events' ? this.#flood.restMs : 0),
      onFault: (fault) => this.breach(wire, fault),
      onSlice: (slice) => {
        if (!this.#isDeaf) this.#flood.slice(wire, slice);
      },
    });
    // One that closes a pipe and lives on can be neither asked nor heard.
    pipe.onClose(() => {
      this.#timers.push(clock.after(CLOSED_MS, () => this.breach(wire, 'closed its end and lived on')));
    });
    this.#pipes.push(pipe);
    return pipe;
  }

  #hearLife(message: unknown): void {
    if (this.#isDeaf) return;
    const { onBorn, onReadings, onFailed, onProfile } = this.#options;
    const { kind, readings, error, gzipped, fault } = (message ?? {}) as Readonly<Record<string, unknown>>;
    if (kind === 'born' && isReadings(readings)) onBorn(readings);
    else if (kind === 'readings' && isReadings(readings)) onReadings(readings);
    else if (kind === 'failed' && isWireError(error)) onFailed(error);
    else if (
      kind === 'profile' &&
      typeof gzipped === 'string' &&
      typeof fault === 'string' &&
      onProfile(gzipped, fault)
    )
      return;
    else this.breach('life', `sent a message of kind ${textOf(kind).slice(0, 32)}`);
  }

  #giveUp(exit: Exit): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    this.#options.onBreach(exit);
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
