/** One frame in the ledger: for each of its events whether it is still in flight, how it ended, and the steps it took. */

import { eventId, OUTCOMES, type Outcome } from '../../ipc/event.ts';
import type { Frame } from '../../ipc/frame.ts';
import { type FiringFate, type FiringSubject, MAX_FATES, undecided } from './firing-fate.ts';
import { strongerOutcome } from './outcome-policy.ts';

export interface Step {
  /** Unix milliseconds. */
  readonly at: number;
  readonly step: string;
  readonly detail: string;
}

export interface FrameOrigin {
  readonly plugin: string;
  readonly idPrefix: string;
  /** Ordinal of the frame's first event within its generation. */
  readonly firstOrdinal: number;
  readonly receivedAt: number;
  /** Of an earlier life of khook: what the event said is not known any more. */
  readonly isRestored?: boolean;
}

/** What the matcher made of a frame, and when. */
export interface Judgement {
  /** Wall milliseconds. */
  readonly at: number;
  /** The same moment on the monotonic clock, by which windows are measured. */
  readonly atMonotonic: number;
  /** Place of its first event among all that were judged: the order in which dispatch saw them. */
  readonly order: number;
  /** The internal type of each entry of `frame.types` (null = no mapping). */
  readonly internalTypes: readonly (string | null)[];
}

/** Who hears of the ends of a frame's events. */
export interface FrameWatch {
  settled(outcome: Outcome, count: number): void;
  /** Asked before the ends of single events are gathered for `ended`: mostly nobody wants them. */
  readonly wantsEnds: boolean;
  ended(frame: LedgerFrame, indices: readonly number[]): void;
}

interface OpenFirings {
  pending: number;
  /** How those ended that have. */
  readonly ended: Outcome[];
}

const MAX_STEPS = 24;

export class LedgerFrame {
  readonly frame: Frame;
  readonly origin: FrameOrigin;
  /** 0 = in flight, else 1 + position in OUTCOMES. */
  readonly #status: Uint8Array;
  readonly #steps = new Map<number, Step[]>();
  readonly #firings = new Map<number, OpenFirings>();
  /** Events that entered once more, and are told of there. */
  readonly #superseded = new Set<number>();
  readonly #fates = new Map<number, FiringFate[]>();
  readonly #watch: FrameWatch;

  constructor(frame: Frame, origin: FrameOrigin, watch: FrameWatch) {
    this.frame = frame;
    this.origin = origin;
    this.#status = new Uint8Array(frame.count);
    this.#watch = watch;
  }

  get count(): number {
    return this.frame.count;
  }

  get byteLength(): number {
    return this.frame.lines.length + this.frame.count * 8 + 256;
  }

  /** null: not judged yet, or dropped before it was. */
  judgement: Judgement | null = null;

  id(index: number): string {
    return eventId(this.origin.idPrefix, this.origin.firstOrdinal + index);
  }

  line(index: number): string {
    return this.frame.lines.split('\n', index + 1)[index] ?? '';
  }

  /** The position of the event with this ordinal, or null when it is not one of this frame. */
  indexOf(ordinal: number): number | null {
    const index = ordinal - this.origin.firstOrdinal;
    return index >= 0 && index < this.frame.count ? index : null;
  }

  outcome(index: number): Outcome | null {
    const status = this.#status[index] ?? 0;
    return status === 0 ? null : (OUTCOMES[status - 1] ?? null);
  }

  steps(index: number): readonly Step[] {
    return this.#steps.get(index) ?? [];
  }

  /** Adds to what `explain` tells of an event; bounded: how it began and how it ended are kept, what repeats in between goes. */
  note(index: number, step: Step): void {
    let steps = this.#steps.get(index);
    if (steps === undefined) {
      steps = [];
      this.#steps.set(index, steps);
    }
    if (steps.length >= MAX_STEPS) steps.splice(MAX_STEPS / 2, 1);
    steps.push(step);
  }

  /** Of the Hooks that it fired for; bounded. */
  fates(index: number): readonly FiringFate[] {
    return this.#fates.get(index) ?? [];
  }

  /** The event fires for a Hook. */
  expectFate(index: number, subject: FiringSubject): void {
    const fates = this.#fates.get(index);
    if (fates === undefined) this.#fates.set(index, [undecided(subject)]);
    else if (fates.length < MAX_FATES) fates.push(undecided(subject));
  }

  /** More is known of one of them. */
  amendFate(index: number, of: Pick<FiringSubject, 'hook' | 'configuration'>, change: Partial<FiringFate>): void {
    const fates = this.#fates.get(index) ?? [];
    const place = fates.findIndex(
      ({ subject }) => subject.configuration === of.configuration && subject.hook === of.hook,
    );
    const fate = fates[place];
    if (fate !== undefined) fates[place] = { ...fate, ...change };
  }

  /** Ends an event. A second end of the same event changes nothing: outcomes are recorded once. */
  settle(index: number, outcome: Outcome): void {
    if (!this.#mark(index, outcome)) return;
    this.#watch.settled(outcome, 1);
    if (this.#watch.wantsEnds) this.#watch.ended(this, [index]);
  }

  /** Ends every event for which `outcomeOf` names an outcome; null leaves it in flight. Counts are reported once per outcome. */
  settleAll(outcomeOf: (index: number) => Outcome | null): void {
    const counts = new Map<Outcome, number>();
    const ended: number[] | null = this.#watch.wantsEnds ? [] : null;
    for (let index = 0; index < this.frame.count; index += 1) {
      const outcome = outcomeOf(index);
      if (outcome === null || !this.#mark(index, outcome)) continue;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      ended?.push(index);
    }
    for (const [outcome, count] of counts) this.#watch.settled(outcome, count);
    if (ended !== null && ended.length > 0) this.#watch.ended(this, ended);
  }

  /** An event that fires ends when `firings` firings have ended. Call before any of them can. */
  expectFirings(index: number, firings: number): void {
    const open = this.#firings.get(index);
    if (open === undefined) this.#firings.set(index, { pending: firings, ended: [] });
    else open.pending += firings;
  }

  settleFiring(index: number, outcome: Outcome): void {
    const open = this.#firings.get(index);
    if (open === undefined || open.pending === 0) return;
    open.pending -= 1;
    open.ended.push(outcome);
    if (open.pending === 0) this.settle(index, open.ended.reduce(strongerOutcome));
  }

  /** A firing of an event that is still in flight was dead-lettered, and is under way again. */
  reopenFiring(index: number): void {
    const ended = this.#firings.get(index)?.ended ?? [];
    const position = ended.indexOf('dead_lettered');
    if (position >= 0) ended.splice(position, 1);
    this.expectFirings(index, 1);
  }

  supersede(index: number): void {
    this.#superseded.add(index);
  }

  isSuperseded(index: number): boolean {
    return this.#superseded.has(index);
  }

  #mark(index: number, outcome: Outcome): boolean {
    if (this.#status[index] !== 0) return false;
    this.#status[index] = OUTCOMES.indexOf(outcome) + 1;
    return true;
  }
}
