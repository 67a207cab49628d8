import { Emitter } from '../../../host/base/emitter.ts';
import type { BusEvents } from '../../../host/bus/events.ts';
import type { ClusterEvents } from '../../../host/cluster/events.ts';
import type { ConfigEvents } from '../../../host/config/events.ts';
import type { Delivery } from '../../../host/dispatch/delivery.ts';
import type { DispatchEvents } from '../../../host/dispatch/events.ts';
import type { LedgerEvents } from '../../../host/ledger/events.ts';
import type { MatchEvents } from '../../../host/match/events.ts';
import type { Exit, ExitReason } from '../../../host/sandbox/exit.ts';
import type { SupervisionEvents } from '../../../host/supervision/events.ts';
import { createLog, type Log } from '../../../host/telemetry/log.ts';
import type { LogLevel } from '../../../host/telemetry/log-level.ts';
import { writeLogLines } from '../../../host/telemetry/log-lines.ts';
import type { TelemetryEvents } from '../../../host/telemetry/telemetry-events.ts';
import { FakeClock } from '../../support/fake-clock.ts';

export function emitters() {
  return {
    config: new Emitter<ConfigEvents>(),
    supervision: new Emitter<SupervisionEvents>(),
    bus: new Emitter<BusEvents>(),
    match: new Emitter<MatchEvents>(),
    dispatch: new Emitter<DispatchEvents>(),
    ledger: new Emitter<LedgerEvents>(),
    cluster: new Emitter<ClusterEvents>(),
  };
}

/** Collects lines as they are written. */
export class Lines {
  readonly raw: string[] = [];

  write(line: string): void {
    this.raw.push(line);
  }

  get parsed(): Record<string, unknown>[] {
    return this.raw.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get messages(): unknown[] {
    return this.parsed.map((line) => line.msg);
  }
}

export interface Bench extends Disposable {
  readonly rooms: ReturnType<typeof emitters>;
  readonly telemetry: Emitter<TelemetryEvents>;
  readonly lines: Lines;
  readonly log: Log;
  readonly clock: FakeClock;
}

export function bench(level: LogLevel = 'info', format: 'json' | 'pretty' = 'json'): Bench {
  const rooms = emitters();
  const telemetry = new Emitter<TelemetryEvents>();
  const lines = new Lines();
  const clock = new FakeClock(Date.parse('2026-01-02T03:04:05.678Z'));
  const log = createLog({ level, format, clock, destination: lines });
  const writer = writeLogLines({ log, clock, rooms, telemetry });
  return { rooms, telemetry, lines, log, clock, [Symbol.dispose]: () => writer[Symbol.dispose]() };
}

export function exit(reason: ExitReason, detail: string, stack = ''): Exit {
  return { reason, detail, stack, code: '' };
}

/** `plugin:crashed` of a run of webhook; `changes` say what differs. */
export function crashed(
  rooms: ReturnType<typeof emitters>,
  changes: Partial<SupervisionEvents['plugin:crashed']> & { readonly exit: Exit },
): void {
  const about = { plugin: 'webhook', id: 'webhook-r-1', generation: 1, uptimeMs: 1_000, vitalSigns: [] };
  rooms.supervision.emit('plugin:crashed', { ...about, nextStartMs: 800, isCrashLoop: false, ...changes });
}

export function register(rooms: ReturnType<typeof emitters>, plugin: string, debug = false): void {
  rooms.supervision.emit('plugin:registered', {
    plugin,
    version: '1.0.0',
    eventTypes: ['webhook-received'],
    isolation: 'thread',
    debug,
  });
}

export const DELIVERY: Delivery = {
  messageId: 'm-1',
  contextId: 'c-1',
  eventId: 'e-1',
  acceptedAt: 0,
  state: { kind: 'queued', since: 0 },
  firing: {
    index: 0,
    repeats: [],
    hook: 'default/on-webhook',
    configuration: 0,
    agent: { namespace: 'kagent', name: 'helper' },
    prompt: 'look',
    dedupKey: 'k',
    source: 'webhook',
    eventType: 'WebhookReceived',
    internalType: 'WebhookReceived',
    severity: 'info',
    resourceName: 'api',
    namespace: '',
    occurredAt: 0,
  },
};
