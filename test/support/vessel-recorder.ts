import type { Exit } from '../../host/sandbox/exit.ts';
import type { VesselListener } from '../../host/sandbox/vessel.ts';
import type { Frame } from '../../ipc/frame.ts';
import type { LogRecord, MetricRecord } from '../../ipc/messages.ts';

/** Keeps everything a vessel reports. */
export class VesselRecorder implements VesselListener {
  readonly frames: Frame[] = [];
  readonly logs: LogRecord[] = [];
  readonly metrics: MetricRecord[] = [];
  readonly refused: string[] = [];
  readonly exits: Exit[] = [];
  dropped = 0;
  renewals = 0;
  onFrame: ((frame: Frame) => void) | null = null;

  frame(frame: Frame): void {
    this.frames.push(frame);
    this.onFrame?.(frame);
  }

  log(record: LogRecord): void {
    this.logs.push(record);
  }

  logsDropped(count: number): void {
    this.dropped += count;
  }

  metric(record: MetricRecord): void {
    this.metrics.push(record);
  }

  eventRefused(code: string): void {
    this.refused.push(code);
  }

  credentialsRefused(): void {
    this.renewals += 1;
  }

  exit(exit: Exit): void {
    this.exits.push(exit);
  }
}
