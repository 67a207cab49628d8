/**
 * A vessel = one generation of one plugin, whatever it runs in. Supervision knows this interface only; a worker thread and (later)
 * a child process stand behind it.
 */

import type { Birth, PluginControl } from '../../ipc/control.ts';
import type { Frame } from '../../ipc/frame.ts';
import type { LogRecord, MetricRecord, ToPlugin } from '../../ipc/messages.ts';
import type { Remote } from '../../ipc/remote.ts';
import type { PluginSpec } from '../config/plugin-plan.ts';
import type { Exit } from './exit.ts';

/** Read from outside the thread; the plugin has no say in them. */
export interface VitalSigns {
  /** Used heap. */
  readonly heapBytes: number;
  /** ArrayBuffers and the like, outside the heap. */
  readonly externalBytes: number;
  readonly cpuSeconds: number;
  /** 0–1 since the last reading. */
  readonly eventLoopUtilization: number;
}

export const NO_VITAL_SIGNS: VitalSigns = { heapBytes: 0, externalBytes: 0, cpuSeconds: 0, eventLoopUtilization: 0 };

/** What a vessel reports. After `exit` nothing more is said. */
export interface VesselListener {
  frame(frame: Frame): void;
  log(record: LogRecord): void;
  logsDropped(count: number): void;
  metric(record: MetricRecord): void;
  eventRefused(code: string, message: string): void;
  /** The generation is over, whoever ended it. Once. */
  exit(exit: Exit): void;
}

export interface Vessel {
  readonly generation: number;
  readonly control: Remote<PluginControl>;
  /** Credit and acks. After the exit it does nothing. */
  post(message: ToPlugin): void;
  /** The last reading; `sample` refreshes it and never rejects. */
  readonly vitals: VitalSigns;
  sample(): Promise<void>;
  /** Ends it without asking the plugin. Resolves when it is gone; `why` becomes the exit unless it had ended before. */
  terminate(why: Exit): Promise<void>;
}

export interface VesselRequest {
  readonly spec: PluginSpec;
  readonly birth: Birth;
  readonly listener: VesselListener;
}

export type OpenVessel = (request: VesselRequest) => Vessel;
