/** Builds the rooms on the event's way, from the bottom up, and joins them: bus → matcher → dispatch, ledger beside them. */

import { type Clock, systemClock } from '../ipc/clock.ts';
import type { KubernetesConnection } from '../ipc/control.ts';
import type { AppOptions } from './app-options.ts';
import { Bus } from './bus/bus.ts';
import { Inlet } from './bus/inlet.ts';
import type { Settings } from './config/settings.ts';
import { A2aClient } from './dispatch/a2a-client.ts';
import { Dispatch } from './dispatch/dispatch.ts';
import { FramePath } from './dispatch/frame-path.ts';
import { MemoryOutbox } from './dispatch/memory-outbox.ts';
import type { Outbox } from './dispatch/outbox.ts';
import { DISPATCH_DEFAULTS, type DispatchSettings } from './dispatch/settings.ts';
import { SqliteOutbox } from './dispatch/sqlite-outbox.ts';
import { recordDeliveries } from './dispatch/trail-notes.ts';
import { Ledger } from './ledger/ledger.ts';
import { Matcher } from './match/pool.ts';
import { openProcessVessel } from './sandbox/process-vessel.ts';
import { openThreadVessel } from './sandbox/thread-vessel.ts';
import { Watchdog } from './sandbox/watchdog.ts';
import { FlightRecorder } from './supervision/flight-recorder.ts';
import { Plugins } from './supervision/plugins.ts';

export interface RoomsOptions {
  readonly app: AppOptions;
  readonly settings: Settings;
  /** Where the agent is when it is not kagent. */
  readonly agentUrl: string | null;
  /** Distinguishes the ids of this host process from those of earlier ones. */
  readonly run: string;
  readonly connection: () => KubernetesConnection | null;
  readonly wantsDebug: (plugin: string) => boolean;
  /** See DispatchOptions; null: nobody would take over. */
  readonly recorded: ((hook: string) => Promise<void>) | null;
}

export interface Rooms {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly matcher: Matcher;
  readonly dispatch: Dispatch;
  /** To be opened by whoever starts the rooms. */
  readonly outbox: Outbox;
  /** Holds connections to agents; the last to close. */
  readonly client: A2aClient;
  readonly bus: Bus;
  readonly plugins: Plugins;
  readonly watchdog: Watchdog;
  readonly flights: FlightRecorder;
}

export function buildRooms(options: RoomsOptions): Rooms {
  const { app, settings, agentUrl, run, connection, wantsDebug, recorded } = options;
  const clock = systemClock;
  const ledger = new Ledger(settings.trail);
  const matcher = new Matcher({ ...settings.matcher, clock });
  const { kagentApiUrl, kagentUserId, kagentApiTimeoutMs } = app.environment;
  const timeoutMs = Math.min(kagentApiTimeoutMs, settings.delivery.timeoutMs);
  const client = new A2aClient({ baseUrl: kagentApiUrl, userId: kagentUserId, timeoutMs, clock, agentUrl });
  const outbox = outboxFor(app, settings, clock);
  const delivering = { clock, outbox, client, settings: dispatchSettings(settings) };
  const dispatch = new Dispatch({ ...delivering, ...(recorded !== null && { recorded }) });
  recordDeliveries({ dispatch: dispatch.events, ledger, clock });
  const path = new FramePath({
    clock,
    ledger,
    judge: ({ frame, origin }, eventTypes) => matcher.judge(origin.plugin, eventTypes ?? new Set(frame.types), frame),
    internalType: (plugin, type) => matcher.internalType(plugin, type),
    accept: (requests) => dispatch.accept(requests),
  });
  const bus = new Bus({
    clock,
    ledger,
    consume: (frame, judged) => path.consume(frame, judged),
    slots: settings.matcher.threads,
    credit: { events: settings.bus.creditEvents, bytes: settings.bus.creditBytes },
  });
  const { onTooManyZombies = () => undefined } = app;
  const watchdog = new Watchdog({ clock, onTooManyZombies });
  const vesselOptions = { clock, watchdog, variables: app.environment.variables };
  const plugins = new Plugins({
    clock,
    run,
    random: Math.random,
    openVessel: (request) => {
      const open = request.spec.isolation === 'process' ? openProcessVessel : openThreadVessel;
      return open(request, vesselOptions);
    },
    openInlet: ({ spec, idPrefix, reply }) => new Inlet({ bus, spec, idPrefix, reply, wall: clock.wall }),
    connection,
    wantsDebug,
    hostDirectory: process.cwd(),
  });
  plugins.on('plugin:removed', ({ plugin }) => bus.forget(plugin));
  const flights = new FlightRecorder({ clock, supervision: plugins, ledger });
  return { clock, ledger, matcher, dispatch, outbox, client, bus, plugins, watchdog, flights };
}

function outboxFor({ dataDirectory: directory }: AppOptions, settings: Settings, clock: Clock): Outbox {
  const { deadLetters, delivery } = settings;
  if (directory === null) return new MemoryOutbox({ clock, deadLetters });
  return new SqliteOutbox({ directory, deadLetters, durability: delivery.durability, clock, random: Math.random });
}

function dispatchSettings({ dedup, delivery }: Settings): Partial<DispatchSettings> {
  const { retry } = DISPATCH_DEFAULTS;
  return {
    dedupWindowMs: dedup.windowMs,
    retry: {
      ...retry,
      attempts: delivery.attempts,
      backoff: { ...retry.backoff, initialMs: delivery.initialBackoffMs, maxMs: delivery.maxBackoffMs },
    },
    concurrencyPerAgent: delivery.concurrencyPerAgent,
    callTimeoutMs: delivery.timeoutMs,
    taskTimeoutMs: delivery.taskTimeoutMs,
    maxAgeMs: delivery.maxAgeMs,
    room: { maxFirings: delivery.queueLimit, maxBytes: delivery.queueBytes, whenFull: delivery.whenFull },
  };
}
