/** Counts what one plugin says on its wires, and holds it against the flood policy at the end of each slice that was read of it. */

import type { Clock } from '../../ipc/clock.ts';
import type { Slice } from '../../ipc/port-bounded.ts';
import type { Share } from './attention.ts';
import { FLOOD_LIMITS, type FloodLimits, judgeTraffic, NO_TRAFFIC, type Traffic } from './flood-policy.ts';
import type { Verdict } from './verdict.ts';

/** The runtime keeps to the plugin's own limit; whoever sends so many times as much does not go through it. */
const LOG_MARGIN = 5;

export interface FloodWatchOptions {
  readonly clock: Clock;
  readonly logLinesPerSecond: number;
  readonly onFlood: (verdict: Verdict) => void;
  /** Of the host's time. */
  readonly share: Share;
}

export class FloodWatch {
  readonly #options: FloodWatchOptions;
  readonly #limits: FloodLimits;
  #traffic: Traffic;
  #records = { logRecords: 0, metricRecords: 0 };
  #hasFrames = false;

  constructor(options: FloodWatchOptions) {
    this.#options = options;
    const logRecords = Math.max(FLOOD_LIMITS.logRecords, LOG_MARGIN * options.logLinesPerSecond);
    this.#limits = { ...FLOOD_LIMITS, logRecords };
    this.#traffic = { since: options.clock.now(), ...NO_TRAFFIC };
  }

  /** A frame came in. Credit bounds frames, so the time that they take is not held against the plugin. */
  frame(): void {
    this.#hasFrames = true;
  }

  /** False when the record is one too many, and is not to be passed on. */
  takesLog(): boolean {
    this.#records.logRecords += 1;
    return this.#traffic.logRecords + this.#records.logRecords <= this.#limits.logRecords;
  }

  takesMetric(): boolean {
    this.#records.metricRecords += 1;
    return this.#traffic.metricRecords + this.#records.metricRecords <= this.#limits.metricRecords;
  }

  /** For so long its wires are not to be read. */
  get restMs(): number {
    return this.#options.share.restMs();
  }

  slice(wire: string, { messages, ms }: Slice): void {
    const busyMs = this.#hasFrames ? 0 : ms;
    const added = { ...this.#records, messages, busyMs };
    this.#records = { logRecords: 0, metricRecords: 0 };
    this.#hasFrames = false;
    const { clock, onFlood, share } = this.#options;
    share.spend(busyMs);
    const { traffic, verdict } = judgeTraffic(this.#traffic, added, { limits: this.#limits, now: clock.now(), wire });
    this.#traffic = traffic;
    if (verdict !== null) onFlood(verdict);
  }
}
