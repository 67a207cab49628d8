/**
 * What a recording tells of the time before it, and of what is not in it. It begins somewhere, and may be of some events only: then a
 * duplicate is the only trace of the firing that it repeats, and a held firing that of the calls which used up its Hook's budget. It
 * also tells which firings failed and gave their key back. Bounded by what a dedup window holds.
 */

import { BUDGET_WINDOW_MS } from '../dispatch/call-budget.ts';
import type { EventRead } from './recording-line.ts';

/** Names a firing of an event: the n-th of a Hook, as its dedup key does. */
export interface FiringPlace {
  readonly hook: string;
  readonly place: number;
}

export interface Inheritance {
  /** It had fired already, outside of the recording. */
  readonly silenced: readonly (FiringPlace & { readonly firedAt: number })[];
  /** Calls were made in this hour of the Hook before the recording began. */
  readonly budgets: readonly { readonly hook: string; readonly startedAt: number; readonly calls: number }[];
  /** Its delivery was given up then. */
  readonly failures: readonly (FiringPlace & { readonly at: number })[];
}

interface HookCalls {
  /** That the recording has. */
  count: number;
  isTakenOver: boolean;
}

const MAX_KEYS = 50_000;
/** A wall clock has whole milliseconds, and a frame is judged before its firings are claimed. */
const TOLERANCE_MS = 50;

export class History {
  #dedupWindowMs = 0;
  #beganAt: number | null = null;
  /** Key of a recorded firing → when it fired. */
  readonly #fired = new Map<string, number>();
  readonly #calls = new Map<string, HookCalls>();

  /** A run of the host begins. Budgets are counted in memory: its hours begin anew. */
  begin({ dedupWindowMs }: { readonly dedupWindowMs: number }): void {
    this.#dedupWindowMs = dedupWindowMs;
    this.#beganAt = null;
    this.#fired.clear();
    this.#calls.clear();
  }

  /** Call with every event, in order; `at` is its virtual time. */
  next(event: EventRead, at: number): Inheritance {
    this.#beganAt ??= at;
    const inherited = { silenced: [], budgets: [], failures: [] } as {
      silenced: Inheritance['silenced'][number][];
      budgets: Inheritance['budgets'][number][];
      failures: Inheritance['failures'][number][];
    };
    const sinceJudged = (wall: number): number => wall - (event.judgedAt ?? event.receivedAt);
    for (const { firing, ...where } of placed(event.firings ?? [])) {
      const { decision, key, until, held, outcome, endedAt } = firing;
      if (decision === 'duplicate') {
        const firedAt = until === undefined ? null : at + sinceJudged(until) - this.#dedupWindowMs;
        if (key === undefined || this.#isKnown(key, firedAt, at)) continue;
        this.#remember(key, firedAt ?? at);
        inherited.silenced.push({ ...where, firedAt: firedAt ?? at });
      } else if (decision !== 'pending') {
        if (key !== undefined) this.#remember(key, at);
        if (held === undefined) this.#callsOf(where.hook).count += 1;
      }
      if (held !== undefined) {
        const startedAt = at + sinceJudged(held.until) - BUDGET_WINDOW_MS;
        const calls = this.#takeOver(where.hook, { startedAt, callsPerHour: held.callsPerHour });
        if (calls !== null) inherited.budgets.push({ hook: where.hook, startedAt, calls });
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
    return firedAt === null ? at - known < this.#dedupWindowMs : Math.abs(known - firedAt) <= TOLERANCE_MS;
  }

  #remember(key: string, firedAt: number): void {
    this.#fired.delete(key);
    this.#fired.set(key, firedAt);
    if (this.#fired.size <= MAX_KEYS) return;
    const [oldest] = this.#fired.keys();
    if (oldest !== undefined) this.#fired.delete(oldest);
  }

  /** Calls of the hour that the recording does not have; null: it has them all, or they were told. */
  #takeOver(hook: string, hour: { readonly startedAt: number; readonly callsPerHour: number }): number | null {
    const calls = this.#callsOf(hook);
    if (calls.isTakenOver || hour.startedAt >= (this.#beganAt ?? 0) - TOLERANCE_MS) return null;
    calls.isTakenOver = true;
    return Math.max(0, hour.callsPerHour - calls.count);
  }

  #callsOf(hook: string): HookCalls {
    let calls = this.#calls.get(hook);
    if (calls === undefined) {
      calls = { count: 0, isTakenOver: false };
      this.#calls.set(hook, calls);
    }
    return calls;
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
