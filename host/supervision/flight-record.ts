/** What the host keeps of a run that ended without being asked to: enough to see afterwards what its last moments were like. */

import type { LogRecord } from '../../ipc/messages.ts';
import type { ExitReason } from '../sandbox/exit.ts';
import type { VitalSigns } from '../sandbox/vessel.ts';

/** An event that the plugin had sent. */
export interface EventMark {
  readonly id: string;
  readonly type: string;
  /** Unix milliseconds. */
  readonly receivedAt: number;
}

/** Texts are as the plugin wrote them: bounded, not redacted. */
export interface FlightRecord {
  /** Also the beginning of the ids of its events. */
  readonly id: string;
  readonly plugin: string;
  readonly generation: number;
  readonly reason: ExitReason;
  readonly detail: string;
  readonly code: string;
  readonly stack: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** The same moment in monotonic milliseconds, as the readings have it. */
  readonly endedAt: number;
  /** From its birth to its end. */
  readonly uptimeMs: number;
  /** Oldest first. */
  readonly vitalSigns: readonly VitalSigns[];
  /** Newest first. */
  readonly events: readonly EventMark[];
  /** Oldest first. */
  readonly log: readonly LogRecord[];
  /** Milliseconds from its end to the next start; null when none was due. */
  readonly nextStartMs: number | null;
}
