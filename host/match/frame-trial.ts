/**
 * What is known of one frame while the pool judges it, in one try or in several. A thread that gets stuck or dies names the event
 * it was at: that one is set aside as invalid, and what the thread had not handed over is judged again without it. Judging is
 * pure, so nothing is doubled by it. Pure itself: no threads, no time.
 */

import { HostError } from '../base/errors.ts';
import type { AttemptOutcome } from './attempt.ts';
import { mergeParts } from './merge.ts';
import { DONE, type JudgedPart } from './task-message.ts';
import { type Cause, type FrameVerdict, VERDICTS } from './verdict.ts';

/** Each costs a thread and a timeout; after so many the rest of the frame is set aside with them. */
export const MAX_POISONOUS = 4;
/** Tries that end before the first event. */
const MAX_FALSE_STARTS = 2;

type Broken = Exclude<AttemptOutcome<JudgedPart>, { kind: 'answered' }>;

export interface TrialTask {
  readonly from: number;
  readonly to: number;
  readonly skip: readonly number[];
}

export class FrameTrial {
  readonly #count: number;
  readonly #frameTimeoutMs: number;
  readonly #parts: JudgedPart[] = [];
  readonly #causes: Cause[];
  readonly #poisonous: number[] = [];
  #from = 0;
  #to: number;
  /** How many events the next try may have. */
  #window: number;
  #falseStarts = 0;

  /** `causes` are those the host has already found. */
  constructor(options: { count: number; frameTimeoutMs: number; causes: readonly Cause[] }) {
    this.#count = options.count;
    this.#to = options.count;
    this.#window = options.count;
    this.#frameTimeoutMs = options.frameTimeoutMs;
    this.#causes = [...options.causes];
  }

  get poisonous(): readonly number[] {
    return this.#poisonous;
  }

  /** What is to be judged next, or null. */
  next(): TrialTask | null {
    if (this.#from >= this.#to) return null;
    return { from: this.#from, to: this.#windowEnd, skip: [...this.#poisonous] };
  }

  /** Returns the event that the try broke at, if it is a new one. Throws HOST_ERR_MATCH when the pool does not get to work. */
  take(outcome: AttemptOutcome<JudgedPart>): Cause | null {
    if (outcome.kind === 'answered') {
      this.#parts.push(outcome.answer);
      this.#from = outcome.answer.upTo;
      return null;
    }
    const { position } = outcome;
    if (position >= this.#from && position < this.#windowEnd) {
      return this.#setAside({ index: position, text: this.#causeOf(outcome) });
    }
    if (outcome.kind === 'died' && position === DONE) return this.#narrow(outcome.error);
    this.#falseStarts += 1;
    if (this.#falseStarts < MAX_FALSE_STARTS) return null;
    const why = outcome.kind === 'died' ? `its thread died: ${outcome.error}` : 'its thread did not start in time';
    throw new HostError('HOST_ERR_MATCH', `the matcher pool could not judge a frame of ${this.#count} events: ${why}`);
  }

  verdict(): FrameVerdict {
    const merged = mergeParts(this.#parts, this.#causes);
    const missing = this.#count - merged.verdicts.length;
    if (missing === 0) return merged;
    return { ...merged, verdicts: merged.verdicts + String.fromCharCode(VERDICTS.indexOf('invalid')).repeat(missing) };
  }

  get #windowEnd(): number {
    return Math.min(this.#to, this.#from + this.#window);
  }

  #causeOf(outcome: Broken): string {
    if (outcome.kind === 'died') return `the matcher thread died while judging this event: ${outcome.error}`;
    return `judging this event took longer than ${formatMs(this.#frameTimeoutMs)}`;
  }

  /** All events were judged, and the answer was too much for the thread: half as many next, down to the one that is too much. */
  #narrow(error: string): Cause | null {
    const width = this.#windowEnd - this.#from;
    if (width > 1) {
      this.#window = Math.ceil(width / 2);
      return null;
    }
    return this.#setAside({ index: this.#from, text: `the matcher thread died of what this event fires: ${error}` });
  }

  #setAside(poison: Cause): Cause {
    this.#window = this.#count;
    this.#poisonous.push(poison.index);
    this.#causes.push(poison);
    if (this.#poisonous.length >= MAX_POISONOUS) {
      this.#to = poison.index;
      const text = `not judged: ${MAX_POISONOUS} earlier events of its frame each broke the matcher`;
      const known = new Set(this.#causes.map((cause) => cause.index));
      for (let index = poison.index + 1; index < this.#count; index += 1) {
        if (!known.has(index)) this.#causes.push({ index, text });
      }
    }
    return poison;
  }
}

function formatMs(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}
