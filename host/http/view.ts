/** What the HTTP room may see of the host: snapshots, already redacted. `app.ts` builds it. The JSON shapes are a contract (docs). */

import type { Outcome } from '../../ipc/event.ts';
import type { Permissions } from '../config/permissions.ts';
import type { DoctorReport } from './doctor-report.ts';
import type { RecordingQuery, StreamQuery, StreamSink } from './stream.ts';

export interface PluginSnapshot {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  /** Why it is blocked or failed, and what to do; empty otherwise. */
  readonly reason: string;
  readonly remedy: string;
  readonly required: boolean;
  readonly generation: number;
  readonly isolation: 'thread' | 'process';
  readonly memoryBytes: number;
  readonly externalBytes: number;
  readonly memoryLimitBytes: number;
  readonly cpuSeconds: number;
  readonly eventLoopUtilization: number;
  readonly restarts: Readonly<Record<string, number>>;
  readonly eventsAccepted: number;
  readonly lastEventAt: string | null;
  readonly lastExit: { readonly reason: string; readonly detail: string; readonly at: string } | null;
  /** RFC 3339. While it backs off: when it starts again. */
  readonly nextStartAt: string | null;
  /** RFC 3339. In a crash loop: when it is given one more try. */
  readonly retryAt: string | null;
  /** null while khook does not know them: it is disabled, or something of it is invalid. */
  readonly permissions: PermissionsSnapshot | null;
}

export interface PermissionsSnapshot {
  readonly asked: Permissions;
  readonly granted: Permissions;
  /** Of the present run, by the word of its runtime; null while none is there. */
  readonly used: UseSnapshot | null;
}

export interface UseSnapshot {
  /** Granted ports that it listens on now. */
  readonly listening: readonly number[];
  readonly sockets: { readonly open: number; readonly limit: number };
  readonly files: { readonly open: number; readonly limit: number };
  /** TCP connections that it began since its start. */
  readonly connections: number;
  /** Handed over at its start: the variables that were granted and are set; the connection to the cluster. */
  readonly environment: readonly string[];
  readonly kubernetes: boolean;
  /** What it reached for since its start and was refused. */
  readonly denied: { readonly network: number; readonly files: number; readonly other: number };
}

/** A run that ended without being asked to. */
export interface FlightRecordSnapshot {
  readonly id: string;
  readonly plugin: string;
  readonly generation: number;
  readonly reason: string;
  readonly detail: string;
  readonly code: string;
  readonly stack: string;
  /** RFC 3339. */
  readonly at: string;
  readonly uptimeMs: number;
  /** Milliseconds until the next start; null when none was due. */
  readonly nextStartMs: number | null;
  /** Readings of its last seconds, oldest first. */
  readonly vitalSigns: readonly (Readonly<Record<string, number | null>> | { readonly at: string })[];
  /** What it sent last, newest first. */
  readonly events: readonly { readonly id: string; readonly type: string; readonly receivedAt: string }[];
  /** What it said last, oldest first. */
  readonly log: readonly {
    readonly at: string;
    readonly level: string;
    readonly message: string;
    /** Only where there are any. */
    readonly fields?: unknown;
  }[];
}

export interface TrailStep {
  /** RFC 3339. */
  readonly at: string;
  readonly step: string;
  readonly detail: string;
}

export interface EventSnapshot {
  readonly id: string;
  readonly plugin: string;
  readonly type: string;
  readonly internalType: string;
  readonly resourceName: string;
  readonly namespace: string;
  readonly message: string;
  readonly receivedAt: string;
  /** null while in flight. */
  readonly outcome: Outcome | null;
  readonly trail: readonly TrailStep[];
}

export interface EventQuery {
  readonly limit: number;
  readonly plugin: string | null;
  readonly outcome: string | null;
}

export interface LedgerSnapshot {
  readonly received: number;
  readonly restored: number;
  readonly inFlight: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly residual: number;
}

export interface HookSnapshot {
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  readonly reason: string;
  readonly eventTypes: readonly string[];
  readonly suspend: boolean;
  readonly lastFired: string | null;
  readonly activeEvents: number;
}

/** What is wrong, and what to do; `paste`: lines to take over as they are. */
export interface FaultSnapshot {
  readonly cause: string;
  readonly fix: string;
  readonly paste?: string;
}

export interface HookDetail extends HookSnapshot {
  /** Of the newest events, how many. */
  readonly looked: number;
  /** How it is, in sentences. */
  readonly says: readonly string[];
  /** What is wrong whatever happens. */
  readonly faults: readonly FaultSnapshot[];
  /** Events that it did not fire for, nearest first; `events` with the same cause, the newest of which is shown. */
  readonly misses: readonly (FaultSnapshot & {
    readonly event: Pick<EventSnapshot, 'id' | 'plugin' | 'type' | 'receivedAt' | 'resourceName' | 'namespace'>;
    readonly events: number;
  })[];
}

export interface DeadLetterLabel {
  /** The messageId that every attempt had, and that another one will have. */
  readonly id: string;
  readonly hook: string;
  /** `namespace/name`. */
  readonly agent: string;
  readonly resourceName: string;
}

/** A firing that no agent took. */
export interface DeadLetterSnapshot extends DeadLetterLabel {
  readonly eventId: string;
  readonly eventType: string;
  readonly namespace: string;
  /** Of the error that ended it. */
  readonly code: string;
  readonly reason: string;
  /** Calls of the agent, those that made no connection among them. */
  readonly attempts: number;
  /** RFC 3339; null: the agent was never called. */
  readonly firstAttemptAt: string | null;
  readonly lastAttemptAt: string | null;
  /** RFC 3339: when khook took it over, when it was last sent again, and when it was given up. */
  readonly acceptedAt: string;
  readonly redrivenAt: string | null;
  readonly diedAt: string;
}

export interface DeadLetterDetail extends DeadLetterSnapshot {
  readonly prompt: string;
}

export interface DeadLetterQuery {
  readonly limit: number;
  /** `namespace/name`; null: of all. */
  readonly hook: string | null;
  readonly agent: string | null;
}

export interface DeadLetterView {
  /** Newest first; `total`: of all there are. */
  deadLetters(
    query: DeadLetterQuery,
  ): Promise<{ readonly total: number; readonly deadLetters: readonly DeadLetterSnapshot[] }>;
  /** Rejects with HOST_ERR_DEAD_LETTER_UNKNOWN. */
  deadLetter(id: string): Promise<DeadLetterDetail>;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** How the host as a whole is, for the head of the dashboard. */
export interface StatusSnapshot {
  readonly version: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly now: string;
  readonly ready: boolean;
  readonly checks: readonly Check[];
}

/** The last hour, one column for each time in `at`. */
export interface HistorySnapshot {
  readonly everySeconds: number;
  /** RFC 3339, oldest first. */
  readonly at: readonly string[];
  readonly host: {
    readonly receivedPerSecond: readonly number[];
    readonly deliveredPerSecond: readonly number[];
    readonly inFlight: readonly number[];
  };
  /** null where the plugin was not there. */
  readonly plugins: readonly {
    readonly name: string;
    readonly eventsPerSecond: readonly (number | null)[];
    readonly memoryBytes: readonly (number | null)[];
    /** Of one core. */
    readonly cpuShare: readonly (number | null)[];
    readonly eventLoopUtilization: readonly (number | null)[];
  }[];
}

export interface HostView extends DeadLetterView {
  readonly version: string;
  status(): StatusSnapshot;
  doctor(): Promise<DoctorReport>;
  history(): HistorySnapshot;
  plugins(): readonly PluginSnapshot[];
  events(query: EventQuery): Promise<readonly EventSnapshot[]>;
  event(id: string): Promise<EventSnapshot | null>;
  hooks(): readonly HookSnapshot[];
  /** null: no such Hook is in force. Judges events, at most once in a few seconds. */
  hook(id: string): Promise<HookDetail | null>;
  ledger(): LedgerSnapshot;
  /** Newest first; of one plugin, or of all. */
  flightRecords(plugin: string | null): readonly FlightRecordSnapshot[];
  /** Tells a listener what happens from now on; returns what stops it. */
  stream(query: StreamQuery, sink: StreamSink): () => void;
  /** Prometheus text format. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  healthz(): readonly Check[];
  readyz(): readonly Check[];
}

/** An event that `khook emit` sends in the name of any source, to try mappings and Hooks. */
export interface TestEvent {
  readonly source: string;
  readonly type: string;
  readonly resourceName: string;
  readonly message: string;
  readonly namespace?: string;
  readonly reason?: string;
  readonly metadata?: Record<string, unknown>;
  readonly tags?: Record<string, string>;
}

/** What changes something, and what may show secrets; served on the loopback port only. */
export interface HostOperations {
  /** What this host knows, as files for a bug report: name → text, or what becomes JSON. Secrets are taken out. */
  bundle(): Promise<Readonly<Record<string, unknown>>>;
  setLogLevel(level: string, plugin: string | null): void;
  restartPlugin(name: string): Promise<void>;
  /** Gzipped pprof, of the host's own thread or of a plugin. Rejects with HOST_ERR_PROFILE. */
  profile(request: {
    readonly kind: 'cpu' | 'heap';
    readonly plugin: string | null;
    readonly ms: number;
  }): Promise<Uint8Array>;
  /** Resolves when the event has its verdict. */
  emit(event: TestEvent): Promise<EventSnapshot>;
  /** Resolves when it is on its way again, whatever becomes of khook. Rejects with a coded error that says why it stays. */
  retryDeadLetter(id: string): Promise<DeadLetterLabel>;
  dropDeadLetter(id: string): Promise<DeadLetterLabel>;
  /** Tells a listener whole events and what became of them; returns what stops it. */
  record(query: RecordingQuery, sink: StreamSink): () => void;
}
