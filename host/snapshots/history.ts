/**
 * The last hour in figures, for the plots of the dashboard: one sample every ten seconds, of each plugin and of the host. Bounded by
 * the plugins there are and by the hour; a plugin that is gone leaves with its last sample.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import type { HistorySnapshot, LedgerSnapshot, PluginSnapshot } from '../http/view.ts';

export const SAMPLE_EVERY_MS = 10_000;
const SAMPLES = 360;

export interface HistoryOptions {
  readonly clock: Clock;
  readonly plugins: () => readonly PluginSnapshot[];
  readonly ledger: () => LedgerSnapshot;
}

interface PluginSample {
  readonly generation: number;
  readonly eventsAccepted: number;
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
  readonly eventLoopUtilization: number;
}

interface Sample {
  /** Monotonic and wall-clock milliseconds. */
  readonly at: number;
  readonly wall: number;
  readonly plugins: ReadonlyMap<string, PluginSample>;
  readonly received: number;
  readonly delivered: number;
  readonly inFlight: number;
}

type Column = (before: PluginSample, now: PluginSample, seconds: number) => number;

const COLUMNS: Readonly<Record<'eventsPerSecond' | 'memoryBytes' | 'cpuShare' | 'eventLoopUtilization', Column>> = {
  eventsPerSecond: (before, now, seconds) => Math.max(0, now.eventsAccepted - before.eventsAccepted) / seconds,
  memoryBytes: (_, now) => now.memoryBytes,
  // Each generation counts from its birth.
  cpuShare: (before, now, seconds) =>
    Math.max(0, now.cpuSeconds - (now.generation === before.generation ? before.cpuSeconds : 0)) / seconds,
  eventLoopUtilization: (_, now) => now.eventLoopUtilization,
};

export class History implements Disposable {
  readonly #options: HistoryOptions;
  readonly #timer: Timer;
  #samples: readonly Sample[] = [];

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#take();
    this.#timer = options.clock.every(SAMPLE_EVERY_MS, () => this.#take());
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  /** Figures are over the time since the sample before; null where a plugin was not there. */
  get snapshot(): HistorySnapshot {
    const pairs = this.#samples.slice(1).map((now, i) => ({ now, before: this.#samples[i] ?? now }));
    const seconds = ({ before, now }: (typeof pairs)[number]): number => Math.max(1, now.at - before.at) / 1000;
    const names = new Set(this.#samples.flatMap(({ plugins }) => [...plugins.keys()]));
    const rate = (of: 'received' | 'delivered'): number[] =>
      pairs.map((pair) => round(Math.max(0, pair.now[of] - pair.before[of]) / seconds(pair)));
    return {
      everySeconds: SAMPLE_EVERY_MS / 1000,
      at: pairs.map(({ now }) => new Date(now.wall).toISOString()),
      host: {
        receivedPerSecond: rate('received'),
        deliveredPerSecond: rate('delivered'),
        inFlight: pairs.map(({ now }) => now.inFlight),
      },
      plugins: [...names].sort().map((name) => {
        const column = (of: Column): (number | null)[] =>
          pairs.map((pair) => {
            const now = pair.now.plugins.get(name);
            return now === undefined ? null : round(of(pair.before.plugins.get(name) ?? now, now, seconds(pair)));
          });
        return {
          name,
          eventsPerSecond: column(COLUMNS.eventsPerSecond),
          memoryBytes: column(COLUMNS.memoryBytes),
          cpuShare: column(COLUMNS.cpuShare),
          eventLoopUtilization: column(COLUMNS.eventLoopUtilization),
        };
      }),
    };
  }

  #take(): void {
    const { clock, plugins, ledger } = this.#options;
    const { received, inFlight, outcomes } = ledger();
    const sample: Sample = {
      at: clock.now(),
      wall: clock.wall(),
      plugins: new Map(plugins().map((plugin) => [plugin.name, plugin])),
      received,
      delivered: outcomes.delivered,
      inFlight,
    };
    this.#samples = [...this.#samples.slice(-SAMPLES), sample];
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
