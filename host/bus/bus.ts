/**
 * Between the plugins and the matcher, on the host thread: every frame is entered in the ledger, queued in its plugin's lane, and
 * goes to the matcher in turns, so that a busy plugin cannot push another aside. The bus moves frames and never reads a line.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { DropReason } from '../../ipc/event.ts';
import { type Frame, typeAt } from '../../ipc/frame.ts';
import type { Refusal } from '../../ipc/messages.ts';
import { Emitter, type Listener } from '../base/emitter.ts';
import type { RateLimit } from '../config/permissions.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { FrameOrigin, LedgerFrame } from '../ledger/ledger-frame.ts';
import type { BusEvents } from './events.ts';
import { Lane, type QueuedFrame } from './lane.ts';

export interface Judgeable {
  readonly entry: LedgerFrame;
  /** The types that the manifest declares; null = any. */
  readonly eventTypes: ReadonlySet<string> | null;
}

/**
 * Takes a frame all the way to its ack. Calls `judged` once its events have their verdicts (the plugin's next frame may follow),
 * and resolves with the refused events once every firing is in dispatch's hands.
 */
export type Consume = (frame: Judgeable, judged: () => void) => Promise<readonly Refusal[]>;

export interface BusOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly consume: Consume;
  /** Frames in the matcher at once, over all plugins. */
  readonly slots: number;
  /** The window of each plugin: events sent and not yet acknowledged. */
  readonly credit: { readonly events: number; readonly bytes: number };
}

export interface Arrival {
  readonly frame: Frame;
  readonly origin: FrameOrigin;
  readonly eventTypes: ReadonlySet<string> | null;
  /** null: whatever limit the plugin's lane has. */
  readonly rateLimit: RateLimit | null;
  readonly acknowledge: (refusals: readonly Refusal[]) => void;
}

const UNLIMITED: RateLimit = { eventsPerSecond: 1_000_000, burst: 1_000_000, whenFull: 'block' };

export class Bus {
  readonly #options: BusOptions;
  readonly #events = new Emitter<BusEvents>();
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with work, in the order of their turns. */
  readonly #turns = new Set<Lane>();
  readonly #timers = new Map<Lane, Timer>();
  #freeSlots: number;
  #open = 0;
  #idle: (() => void)[] = [];

  constructor(options: BusOptions) {
    this.#options = options;
    this.#freeSlots = options.slots;
  }

  on<Name extends keyof BusEvents>(name: Name, listener: Listener<BusEvents[Name]>): () => void {
    return this.#events.on(name, listener);
  }

  get credit(): BusOptions['credit'] {
    return this.#options.credit;
  }

  /** Plugin → events that wait for their turn. */
  get queued(): ReadonlyMap<string, number> {
    return new Map([...this.#lanes.values()].map((lane) => [lane.plugin, lane.queuedEvents]));
  }

  accept(arrival: Arrival): LedgerFrame {
    const { frame, origin, rateLimit } = arrival;
    const now = this.#options.clock.now();
    const lane = this.#lane(origin.plugin, rateLimit);
    const entry = this.#options.ledger.receive(frame, origin);
    this.#events.emit('frame:received', { plugin: origin.plugin, types: countTypes(frame) });
    this.#open += 1;
    const queued: QueuedFrame = { ...arrival, entry, arrivedAt: now, isThrottled: false };
    const reason = this.#dropReason(lane, frame.count, now);
    if (reason === null) {
      if (lane.dropsWhenFull) lane.spend(now, frame.count);
      lane.push(queued);
      this.#turns.add(lane);
      this.#advance();
    } else this.#drop(lane.plugin, queued, reason);
    return entry;
  }

  /** Forgets the lane of a plugin that is gone; what it had queued is still judged. */
  forget(plugin: string): void {
    const lane = this.#lanes.get(plugin);
    if (lane === undefined) return;
    lane.isForgotten = true;
    this.#letGo(lane);
  }

  /** Resolves when every accepted frame is acknowledged. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open === 0) resolve();
      else this.#idle.push(resolve);
    });
  }

  /** Drops what is still queued, with its reason: the end of a grace period. */
  abandon(reason: DropReason): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#turns.clear();
    for (const lane of this.#lanes.values()) {
      for (let next = lane.shift(); next !== null; next = lane.shift()) this.#drop(lane.plugin, next, reason);
      this.#letGo(lane);
    }
  }

  #lane(plugin: string, limit: RateLimit | null): Lane {
    let lane = this.#lanes.get(plugin);
    if (lane === undefined) {
      lane = new Lane(plugin, limit ?? UNLIMITED, this.#options.clock.now());
      this.#lanes.set(plugin, lane);
    } else if (limit !== null && lane.setLimit(limit)) {
      // Held back by the old limit; the next turn asks the new one.
      this.#timers.get(lane)?.cancel();
      this.#timers.delete(lane);
    }
    lane.isForgotten = false;
    return lane;
  }

  #letGo(lane: Lane): void {
    if (lane.isForgotten && lane.isEmpty && !lane.isBusy) this.#lanes.delete(lane.plugin);
  }

  /** Only a plugin that asked for it loses events; all others wait. */
  #dropReason(lane: Lane, count: number, now: number): DropReason | null {
    if (!lane.dropsWhenFull) return null;
    if (lane.waitMs(now) > 0) return 'rate_limited';
    return lane.queuedEvents + count > this.#options.credit.events / 2 ? 'queue_full' : null;
  }

  /** Gives free slots to the lanes in turn. */
  #advance(): void {
    const now = this.#options.clock.now();
    for (const lane of [...this.#turns]) {
      if (this.#freeSlots === 0) return;
      if (lane.isBusy || this.#timers.has(lane)) continue;
      const wait = lane.dropsWhenFull ? 0 : lane.waitMs(now);
      if (wait > 0) this.#hold(lane, wait);
      else this.#send(lane, now);
    }
  }

  #hold(lane: Lane, wait: number): void {
    const head = lane.head;
    if (head !== null && !head.isThrottled) {
      head.isThrottled = true;
      this.#events.emit('frame:throttled', { plugin: lane.plugin, events: head.entry.count, waitMs: wait });
    }
    const timer = this.#options.clock.after(wait, () => {
      this.#timers.delete(lane);
      this.#advance();
    });
    this.#timers.set(lane, timer);
  }

  #send(lane: Lane, now: number): void {
    const queued = lane.shift();
    // The lane goes to the end of the turns, or leaves them when it has nothing more.
    this.#turns.delete(lane);
    if (queued === null) return;
    if (!lane.isEmpty) this.#turns.add(lane);
    if (!lane.dropsWhenFull) lane.spend(now, queued.entry.count);
    lane.isBusy = true;
    this.#freeSlots -= 1;
    let isJudged = false;
    const judged = (): void => {
      if (isJudged) return;
      isJudged = true;
      lane.isBusy = false;
      this.#freeSlots += 1;
      this.#letGo(lane);
      this.#advance();
    };
    const { consume } = this.#options;
    // async: a consumer that throws before its first promise is one that rejects.
    (async () => consume(queued, judged))().then(
      (refusals) => {
        judged();
        this.#finish(lane.plugin, queued, refusals);
      },
      (error: unknown) => {
        judged();
        this.#fail(lane.plugin, queued, messageOf(error));
      },
    );
  }

  /** The frame could not be judged at all: its events are invalid, and say why. */
  #fail(plugin: string, queued: QueuedFrame, error: string): void {
    const { entry } = queued;
    const at = this.#options.clock.wall();
    for (let index = 0; index < entry.count; index += 1) {
      if (entry.outcome(index) === null) entry.note(index, { at, step: 'invalid', detail: error });
    }
    entry.settleAll(() => 'invalid');
    this.#events.emit('frame:failed', { plugin, events: entry.count, error });
    this.#finish(
      plugin,
      queued,
      refuseAll(entry.count, 'EVENT_ERR_INVALID', `the event could not be judged: ${error}`),
    );
  }

  #drop(plugin: string, queued: QueuedFrame, reason: DropReason): void {
    const { entry } = queued;
    const at = this.#options.clock.wall();
    for (let index = 0; index < entry.count; index += 1) entry.note(index, { at, step: 'dropped', detail: reason });
    entry.settleAll(() => 'dropped');
    this.#events.emit('frame:dropped', { plugin, events: entry.count, reason });
    this.#finish(plugin, queued, refuseAll(entry.count, 'EVENT_ERR_DROPPED', `the event was dropped: ${reason}`));
  }

  #finish(plugin: string, queued: QueuedFrame, refusals: readonly Refusal[]): void {
    queued.acknowledge(refusals);
    const durationMs = this.#options.clock.now() - queued.arrivedAt;
    this.#events.emit('frame:done', { plugin, events: queued.entry.count, durationMs });
    this.#open -= 1;
    if (this.#open === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function refuseAll(count: number, code: string, message: string): Refusal[] {
  return Array.from({ length: count }, (_, index) => ({ index, code, message }));
}

function countTypes(frame: Frame): ReadonlyMap<string, number> {
  if (frame.types.length === 1) return new Map([[frame.types[0] ?? '', frame.count]]);
  const counts = new Map<string, number>();
  for (let index = 0; index < frame.count; index += 1) {
    const type = typeAt(frame, index);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}
