/**
 * What a recording tells of the time before it, and of what is not in it. It begins somewhere, and may be of some events only: then a
 * duplicate is the only trace of the firing that it repeats, and what a firing found used of its Hook's budget that of earlier calls. It
 * also tells which firings failed and gave their key back. Bounded by what a dedup window holds.
 */

import { BudgetHistory, type UncountedCalls } from './budget-history.ts';
import type { EventRead } from './recording-line.ts';

/** Names a firing of an event: the n-th of a Hook, as its dedup key does. */
export interface FiringPlace {
  readonly hook: string;
  readonly place: number;
}

export interface Inheritance {
  /** It had fired already, outside of the recording. */
  readonly silenced: readonly (FiringPlace & { readonly firedAt: number })[];
  /** What the host made of each: recorded times are whole milliseconds, and where a window ends in one of them this breaks the tie. */
  readonly decided: readonly (FiringPlace & { readonly isSilenced: boolean })[];
  /** Calls were made in an hour of the Hook that the recording does not have. */
  readonly budgets: readonly UncountedCalls[];
  /** Its delivery was given up then. */
  readonly failures: readonly (FiringPlace & { readonly at: number })[];
}

const MAX_KEYS = 50_000;
/** A wall clock has whole milliseconds, and a frame is judged before its firings are claimed: on a busy machine, a good while before. */
const TOLERANCE_MS = 1_000;

/** How far apart two times of a recording may be that mean the same firing: no key fires twice in half a window. */
export function toleranceMs(dedupWindowMs: number): number {
  return Math.min(TOLERANCE_MS, dedupWindowMs / 2);
}

export class History {
  #dedupWindowMs = 0;
  /** Key of a recorded firing → when it fired. */
  readonly #fired = new Map<string, number>();
  #budgets = new BudgetHistory();

  /** A run of the host begins. Budgets are counted in memory: its hours begin anew. */
  begin({ dedupWindowMs }: { readonly dedupWindowMs: number }): void {
    this.#dedupWindowMs = dedupWindowMs;
    this.#fired.clear();
    this.#budgets = new BudgetHistory();
  }

  /** Call with every event, in order; `at` is its virtual time. */
  next(event: EventRead, at: number): Inheritance {
    const inherited = { silenced: [], decided: [], budgets: [], failures: [] } as {
      silenced: Inheritance['silenced'][number][];
      decided: Inheritance['decided'][number][];
      budgets: Inheritance['budgets'][number][];
      failures: Inheritance['failures'][number][];
    };
    const sinceJudged = (wall: number): number => wall - (event.judgedAt ?? event.receivedAt);
    for (const { firing, ...where } of placed(event.firings ?? [])) {
      const { decision, key, until, outcome, endedAt } = firing;
      if (decision !== 'pending') inherited.decided.push({ ...where, isSilenced: decision === 'duplicate' });
      if (decision === 'duplicate') {
        const firedAt = until === undefined ? null : at + sinceJudged(until) - this.#dedupWindowMs;
        if (key === undefined || this.#isKnown(key, firedAt, at)) continue;
        this.#remember(key, firedAt ?? at);
        inherited.silenced.push({ ...where, firedAt: firedAt ?? at });
      } else if (decision !== 'pending') {
        if (key !== undefined) this.#remember(key, at);
        const uncounted = this.#budgets.next(firing, { at, sinceJudged });
        if (uncounted !== null) inherited.budgets.push(uncounted);
      }
      // What repeats it in its own frame is a duplicate whatever becomes of it: it fails later than at once.
      if (decision === 'dropped') inherited.failures.push({ ...where, at: at + 1 });
      else if (outcome === 'dead_lettered' && endedAt !== undefined)
        inherited.failures.push({ ...where, at: at + Math.max(1, sinceJudged(endedAt)) });
    }
    return inherited;
  }

  /** The recording has the firing that this one repeats: it fired at `firedAt`, or (null) when its frame was judged or before. */
  #isKnown(key: string, firedAt: number | null, at: number): boolean {
    const known = this.#fired.get(key);
    if (known === undefined) return false;
    return firedAt === null
      ? at - known < this.#dedupWindowMs
      : Math.abs(known - firedAt) <= toleranceMs(this.#dedupWindowMs);
  }

  #remember(key: string, firedAt: number): void {
    this.#fired.delete(key);
    this.#fired.set(key, firedAt);
    if (this.#fired.size <= MAX_KEYS) return;
    const [oldest] = this.#fired.keys();
    if (oldest !== undefined) this.#fired.delete(oldest);
  }
}

/** The n-th firing of each Hook, in the order of its configurations. */
export function placed<Firing extends { readonly hook: string; readonly configuration: number }>(
  firings: readonly Firing[],
): (FiringPlace & { readonly firing: Firing })[] {
  const seen = new Map<string, number>();
  return firings
    .toSorted((a, b) => a.configuration - b.configuration)
    .map((firing) => {
      const place = seen.get(firing.hook) ?? 0;
      seen.set(firing.hook, place + 1);
      return { hook: firing.hook, place, firing };
    });
}
