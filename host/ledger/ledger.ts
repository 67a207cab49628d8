/**
 * The conservation law: received + restored = Σ outcomes + in flight, at every instant. What is in flight is counted by its own
 * counter, up on arrival and down on settlement, so that the residual can be something other than 0 when khook has a fault.
 */

import { OUTCOMES, type Outcome } from '../../ipc/event.ts';
import type { Frame } from '../../ipc/frame.ts';
import { Emitter, type Listener } from '../base/emitter.ts';
import type { LedgerEvents } from './events.ts';
import { type FrameOrigin, LedgerFrame, type Step } from './ledger-frame.ts';
import { Trail, type TrailLimits } from './trail.ts';

export interface LedgerCounts {
  readonly received: number;
  readonly restored: number;
  readonly inFlight: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly residual: number;
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

  /** Every event of the frame has entered; each must end exactly once. */
  receive(frame: Frame, origin: FrameOrigin): LedgerFrame {
    this.#received += frame.count;
    this.#inFlight += frame.count;
    const entry = new LedgerFrame(frame, origin, (outcome, count) => {
      this.#inFlight -= count;
      this.#outcomes[outcome] += count;
      this.#events.emit('events:settled', { plugin: origin.plugin, outcome, count });
    });
    this.#trail.push(entry);
    return entry;
  }

  /** From now on `settleFiring` and `note` find this event by its id. */
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

  /** What is remembered, newest event first. */
  *newestFirst(): Generator<OpenEvent> {
    for (const frame of this.#trail.newestFirst()) {
      for (let index = frame.count - 1; index >= 0; index -= 1) yield { frame, index };
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
