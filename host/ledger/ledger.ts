/**
 * The conservation law: received + restored = Σ outcomes + in flight, at every instant. What is in flight is counted by its own
 * counter, up on arrival and down on settlement, so that the residual can be something other than 0 when khook has a fault.
 */

import { OUTCOMES, type Outcome } from '../../ipc/event.ts';
import { type Frame, typeAt } from '../../ipc/frame.ts';
import { Emitter, type Listener } from '../base/emitter.ts';
import type { LedgerEvents } from './events.ts';
import type { FiringFate, FiringSubject } from './firing-fate.ts';
import { type FrameOrigin, type FrameWatch, type Judgement, LedgerFrame, type Step } from './ledger-frame.ts';
import { Trail, type TrailLimits } from './trail.ts';

export interface LedgerCounts {
  readonly received: number;
  readonly restored: number;
  readonly inFlight: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly residual: number;
}

/** What is still known of an event of an earlier life. Its text is not, unless `line` has it. */
export interface RestoredEvent {
  readonly eventId: string;
  readonly plugin: string;
  readonly type: string;
  readonly internalType: string;
  readonly resourceName: string;
  readonly namespace: string;
  /** Unix milliseconds. */
  readonly receivedAt: number;
  /** As it came in a frame. */
  readonly line?: string;
}

interface OpenEvent {
  readonly frame: LedgerFrame;
  readonly index: number;
}

export class Ledger {
  readonly #events = new Emitter<LedgerEvents>();
  readonly #trail: Trail;
  readonly #outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  /** Events with firings under way, by id: settled by dispatch long after their frame. */
  readonly #firing = new Map<string, OpenEvent>();
  #received = 0;
  #judged = 0;
  #restored = 0;
  #inFlight = 0;

  constructor(limits: TrailLimits) {
    this.#trail = new Trail(limits);
  }

  on<Name extends keyof LedgerEvents>(name: Name, listener: Listener<LedgerEvents[Name]>): () => void {
    return this.#events.on(name, listener);
  }

  get counts(): LedgerCounts {
    const settled = OUTCOMES.reduce((sum, outcome) => sum + this.#outcomes[outcome], 0);
    return {
      received: this.#received,
      restored: this.#restored,
      inFlight: this.#inFlight,
      outcomes: { ...this.#outcomes },
      residual: this.#received + this.#restored - settled - this.#inFlight,
    };
  }

  /** Events that were judged so far; the next one has this place in the order. */
  get judged(): number {
    return this.#judged;
  }

  /** Every event of the frame has entered; each must end exactly once. */
  receive(frame: Frame, origin: FrameOrigin): LedgerFrame {
    this.#received += frame.count;
    return this.#enter(frame, origin);
  }

  /** One firing of an event of an earlier life stands in the outbox still. The event ends when its restored firings have. */
  restore(event: RestoredEvent): void {
    const known = this.#firing.get(event.eventId);
    if (known !== undefined) {
      known.frame.expectFirings(known.index, 1);
      return;
    }
    this.#restored += 1;
    const { frame, origin } = frameOf(event);
    const entry = this.#enter(frame, origin);
    entry.judgement = { at: event.receivedAt, atMonotonic: 0, order: 0, internalTypes: [event.internalType] };
    entry.expectFirings(0, 1);
    this.#firing.set(event.eventId, { frame: entry, index: 0 });
  }

  /**
   * A firing of it was dead-lettered, and is under way again. An event that had ended enters once more, and counts as restored: how it
   * ended first stays counted, and what was known of it goes on in its new trail.
   */
  reopen(event: RestoredEvent): void {
    const open = this.#firing.get(event.eventId);
    if (open !== undefined) {
      open.frame.reopenFiring(open.index);
      return;
    }
    const before = this.find(event.eventId);
    if (before === null) {
      this.restore(event);
      return;
    }
    const { frame, index } = before;
    const known = { type: typeAt(frame.frame, index), receivedAt: frame.origin.receivedAt, line: frame.line(index) };
    this.restore({ ...event, ...known });
    for (const step of frame.steps(index)) this.note(event.eventId, step);
    frame.supersede(index);
  }

  /** The matcher has judged it. Call in the order in which its firings reach dispatch. */
  judge(frame: LedgerFrame, judgement: Omit<Judgement, 'order'>): void {
    frame.judgement = { ...judgement, order: this.#judged };
    this.#judged += frame.count;
  }

  /** From now on `settleFiring`, `note` and `amendFate` find this event by its id. */
  track(frame: LedgerFrame, index: number): void {
    this.#firing.set(frame.id(index), { frame, index });
  }

  settleFiring(eventId: string, outcome: Outcome): void {
    const open = this.#firing.get(eventId);
    if (open === undefined) return;
    open.frame.settleFiring(open.index, outcome);
    if (open.frame.outcome(open.index) !== null) this.#firing.delete(eventId);
  }

  note(eventId: string, step: Step): void {
    const open = this.#firing.get(eventId);
    open?.frame.note(open.index, step);
  }

  /** More is known of what became of one of an event's firings. */
  amendFate(
    eventId: string,
    of: Pick<FiringSubject, 'hook' | 'configuration'>,
    change: Partial<Omit<FiringFate, 'subject'>>,
  ): void {
    const open = this.#firing.get(eventId);
    open?.frame.amendFate(open.index, of, change);
  }

  #enter(frame: Frame, origin: FrameOrigin): LedgerFrame {
    this.#inFlight += frame.count;
    const entry = new LedgerFrame(frame, origin, this.#watch(origin.plugin));
    this.#trail.push(entry);
    return entry;
  }

  #watch(plugin: string): FrameWatch {
    const events = this.#events;
    return {
      settled: (outcome, count) => {
        this.#inFlight -= count;
        this.#outcomes[outcome] += count;
        events.emit('events:settled', { plugin, outcome, count });
      },
      get wantsEnds() {
        return events.isHeard('events:ended');
      },
      ended: (frame, indices) => events.emit('events:ended', { frame, indices }),
    };
  }

  /** What is remembered, of one plugin or of all, newest event first. */
  *newestFirst(plugin: string | null = null): Generator<OpenEvent> {
    for (const frame of this.#trail.newestFirst()) {
      if (plugin !== null && frame.origin.plugin !== plugin) continue;
      for (let index = frame.count - 1; index >= 0; index -= 1) if (!frame.isSuperseded(index)) yield { frame, index };
    }
  }

  find(id: string): OpenEvent | null {
    const cut = id.lastIndexOf('-');
    const ordinal = Number.parseInt(id.slice(cut + 1), 36);
    if (cut <= 0 || !Number.isSafeInteger(ordinal)) return null;
    for (const frame of this.#trail.newestFirst()) {
      if (frame.origin.idPrefix !== id.slice(0, cut)) continue;
      const index = frame.indexOf(ordinal);
      // The number was read leniently: only the id itself counts.
      if (index !== null) return frame.id(index) === id ? { frame, index } : null;
    }
    return null;
  }
}

/** As if it had come alone, so that whoever looks for it finds it as every other. */
function frameOf({ eventId, plugin, type, resourceName, namespace, receivedAt, line }: RestoredEvent): {
  readonly frame: Frame;
  readonly origin: FrameOrigin;
} {
  const cut = eventId.lastIndexOf('-');
  const lines = line ?? JSON.stringify({ resourceName, namespace, message: '' });
  return {
    frame: { kind: 'frame', generation: 0, sequence: 0, count: 1, types: [type], typeIndex: '\0', lines },
    origin: {
      plugin,
      idPrefix: eventId.slice(0, cut),
      firstOrdinal: Number.parseInt(eventId.slice(cut + 1), 36),
      receivedAt,
      isRestored: true,
    },
  };
}
