/**
 * Keeps the flight records of the last runs that failed, and the last lines of each plugin for the next one. A consumer of
 * supervision's events; bounded in records, in records of one plugin, and in the size of each. Runs on the host thread.
 */

import type { Clock } from '../../ipc/clock.ts';
import { typeAt } from '../../ipc/frame.ts';
import type { LogRecord } from '../../ipc/messages.ts';
import type { Subscribable } from '../base/emitter.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Exit } from '../sandbox/exit.ts';
import type { VitalSigns } from '../sandbox/vessel.ts';
import type { SupervisionEvents } from './events.ts';
import type { EventMark, FlightRecord } from './flight-record.ts';
import { LogTail } from './log-tail.ts';

const RECORDS = 50;
const RECORDS_PER_PLUGIN = 10;
const EVENTS = 20;
const READINGS = 60;
const TEXT = 8_192;

export interface FlightRecorderOptions {
  readonly clock: Clock;
  readonly supervision: Subscribable<SupervisionEvents>;
  /** Knows what the plugin sent last. */
  readonly ledger: Pick<Ledger, 'newestFirst'>;
}

interface Kept {
  readonly record: Omit<FlightRecord, 'log'>;
  /** Read when somebody asks: lines still arrive when their thread has ended. */
  readonly tail: LogTail | null;
}

export class FlightRecorder implements Disposable {
  readonly #options: FlightRecorderOptions;
  readonly #tails = new Map<string, LogTail>();
  /** Oldest first. */
  #kept: readonly Kept[] = [];
  readonly #subscriptions: readonly (() => void)[];

  constructor(options: FlightRecorderOptions) {
    this.#options = options;
    const { supervision } = options;
    this.#subscriptions = [
      supervision.on('plugin:starting', ({ plugin, generation }) => {
        this.#tails.set(plugin, new LogTail(generation, this.#tails.get(plugin)));
      }),
      supervision.on('plugin:log', ({ plugin, generation, record }) => this.#hear(plugin, generation, record)),
      supervision.on('plugin:crashed', (crash) => this.#keep(crash)),
      supervision.on('plugin:removed', ({ plugin }) => this.#tails.delete(plugin)),
    ];
  }

  /** Newest first; of one plugin, or of all. */
  records(plugin: string | null = null): readonly FlightRecord[] {
    return this.#kept
      .filter(({ record }) => plugin === null || record.plugin === plugin)
      .map(({ record, tail }) => ({ ...record, log: [...(tail?.lines ?? [])] }))
      .reverse();
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #hear(plugin: string, generation: number, line: LogRecord): void {
    const tail = this.#tails.get(plugin);
    if (tail === undefined) return;
    // What a run said last may come when the next one has begun: it belongs to the run that said it.
    const own = tail.generation > generation ? this.#find(plugin, generation)?.tail : tail;
    own?.push(line);
  }

  #keep(crash: SupervisionEvents['plugin:crashed']): void {
    const { plugin, id, generation, exit, nextStartMs, uptimeMs, vitalSigns } = crash;
    const { clock, ledger } = this.#options;
    const record = {
      ...{ id, plugin, generation, nextStartMs, uptimeMs, ...boundedExit(exit) },
      ...{ at: clock.wall(), endedAt: clock.now() },
      vitalSigns: thinned(vitalSigns),
      events: lastEvents(ledger, plugin),
    };
    this.#kept = trimmed([...this.#kept, { record, tail: this.#tails.get(plugin) ?? null }], plugin);
  }

  #find(plugin: string, generation: number): Kept | undefined {
    return this.#kept.findLast(({ record }) => record.plugin === plugin && record.generation === generation);
  }
}

/** Without the oldest ones of this plugin, and of all. */
function trimmed(kept: readonly Kept[], plugin: string): readonly Kept[] {
  const own = kept.filter(({ record }) => record.plugin === plugin);
  const surplus = new Set(own.slice(0, -RECORDS_PER_PLUGIN));
  return kept.filter((each) => !surplus.has(each)).slice(-RECORDS);
}

function lastEvents(ledger: Pick<Ledger, 'newestFirst'>, plugin: string): readonly EventMark[] {
  const marks: EventMark[] = [];
  for (const { frame, index } of ledger.newestFirst(plugin)) {
    marks.push({ id: frame.id(index), type: typeAt(frame.frame, index), receivedAt: frame.origin.receivedAt });
    if (marks.length === EVENTS) break;
  }
  return marks;
}

/** The whole time that was read, in fewer readings; the last one stays. */
function thinned(readings: readonly VitalSigns[]): readonly VitalSigns[] {
  const step = Math.max(1, Math.ceil(readings.length / READINGS));
  return readings.filter((_, index) => (readings.length - 1 - index) % step === 0);
}

function boundedExit({ reason, detail, code, stack }: Exit): Exit {
  return { reason, detail: detail.slice(0, TEXT), code: code.slice(0, TEXT), stack: stack.slice(0, TEXT) };
}
