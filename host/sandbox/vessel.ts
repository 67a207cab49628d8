/**
 * A vessel = one generation of one plugin, whatever it runs in. Supervision knows this interface only; a worker thread and
 * a child process stand behind it.
 */

import type { Birth, PluginControl } from '../../ipc/control.ts';
import type { Frame } from '../../ipc/frame.ts';
import type { LogRecord, MetricRecord, ToPlugin } from '../../ipc/messages.ts';
import type { Remote } from '../../ipc/remote.ts';
import type { Uses } from '../../ipc/uses.ts';
import type { PluginSpec } from '../config/plugin-plan.ts';
import type { Exit } from './exit.ts';
import type { ProfileKind } from './profile.ts';

/** Read from outside; the plugin has no say in them. */
export interface VitalSigns {
  /** Monotonic milliseconds of the reading. */
  readonly at: number;
  /** Used heap. */
  readonly heapBytes: number;
  /** Heap that V8 holds for it, used or not. */
  readonly heapTotalBytes: number;
  /** ArrayBuffers and the like, outside the heap. */
  readonly externalBytes: number;
  /** What V8 itself took from malloc for it. */
  readonly mallocedBytes: number;
  readonly cpuSeconds: number;
  /** 0–1 over about the last second. */
  readonly eventLoopUtilization: number;
  /** Memory that it made the system hand out since its birth; null where the system does not say. */
  readonly faultedBytes: number | null;
  /** For how long it has left the pulse unanswered; 0 when it answers. */
  readonly silentMs: number;
  /** For how long it has left the question for its sizes unanswered: those above are so much older than `at`. */
  readonly unreadMs: number;
  /** The part of `faultedBytes` that was handed out since it was asked for those sizes: they cannot tell yet what became of it. */
  readonly unreadBytes: number;
  /** Heap, external and malloced after its last collection; null before the first. */
  readonly collectedBytes: number | null;
  /** Resident memory of the process that it is in. */
  readonly residentBytes: number;
}

export const NO_VITAL_SIGNS: VitalSigns = {
  at: 0,
  heapBytes: 0,
  heapTotalBytes: 0,
  externalBytes: 0,
  mallocedBytes: 0,
  cpuSeconds: 0,
  eventLoopUtilization: 0,
  faultedBytes: null,
  silentMs: 0,
  unreadMs: 0,
  unreadBytes: 0,
  collectedBytes: null,
  residentBytes: 0,
};

/** What a vessel reports. After `exit` nothing more is said. */
export interface VesselListener {
  frame(frame: Frame): void;
  log(record: LogRecord): void;
  logsDropped(count: number): void;
  metric(record: MetricRecord): void;
  eventRefused(code: string, message: string): void;
  /** A server did not take the credentials of its connection. */
  credentialsRefused(): void;
  /** The generation is over, whoever ended it. Once. */
  exit(exit: Exit): void;
}

export interface Vessel {
  readonly generation: number;
  readonly control: Remote<PluginControl>;
  /** Credit and acks. After the exit it does nothing. */
  post(message: ToPlugin): void;
  /** The last reading. The watchdog refreshes it; `sample` does so now and never rejects. */
  readonly vitals: VitalSigns;
  /** About its last ten seconds, oldest first; stays after its end. */
  readonly history: readonly VitalSigns[];
  sample(): Promise<void>;
  /** What it uses of what it may, by its runtime's word. */
  readonly uses: Uses;
  /** V8's JSON over the next `ms` milliseconds. One at a time. Rejects when the run ends meanwhile. */
  profile(kind: ProfileKind, ms: number): Promise<string>;
  /** Ends it without asking the plugin. Resolves when it is gone; `why` becomes the exit unless it had ended before. */
  terminate(why: Exit): Promise<void>;
  /** Resolves when nothing of it is there any more: of a thread that sits in native code, long after its exit was reported. */
  readonly gone: Promise<void>;
}

export interface VesselRequest {
  readonly spec: PluginSpec;
  readonly birth: Birth;
  readonly listener: VesselListener;
}

export type OpenVessel = (request: VesselRequest) => Vessel;
