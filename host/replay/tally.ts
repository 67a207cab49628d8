/** What a replay comes to in numbers. Bounded by the Hooks there are. */

import type { ReplayedEvent } from './dry-run.ts';

export interface HookTally {
  /** Firings that went out, held ones among them. */
  before: number;
  now: number;
  fresh: number;
  gone: number;
  changed: number;
  heldBefore: number;
  heldNow: number;
}

export class Tally {
  readonly #hooks = new Map<string, HookTally>();
  readonly #ends = new Map<string, { before: number; now: number }>();
  #events = 0;
  #differences = 0;
  #redactedDifferences = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;

  add({ event, changes, before, now }: ReplayedEvent): void {
    this.#events += 1;
    this.#from = Math.min(this.#from, event.receivedAt);
    this.#to = Math.max(this.#to, event.receivedAt);
    this.#end(before).before += 1;
    this.#end(now).now += 1;
    for (const change of changes) {
      const hook = this.#hook(change.hook);
      const [was, is] = [change.before, change.now].map((view) => view !== null && view.state !== 'silent');
      if (was) hook.before += 1;
      if (is) hook.now += 1;
      if (change.before?.state === 'held') hook.heldBefore += 1;
      if (change.now?.state === 'held') hook.heldNow += 1;
      if (change.kind === 'new') hook.fresh += 1;
      if (change.kind === 'gone') hook.gone += 1;
      if (change.kind === 'changed') hook.changed += 1;
      if (change.kind === 'same') continue;
      this.#differences += 1;
      if (event.redacted) this.#redactedDifferences += 1;
    }
  }

  get events(): number {
    return this.#events;
  }

  get differences(): number {
    return this.#differences;
  }

  /** Of these, in events from which something was taken out. */
  get redactedDifferences(): number {
    return this.#redactedDifferences;
  }

  /** Unix milliseconds; null when there was no event. */
  get span(): { readonly from: number; readonly to: number } | null {
    return this.#events === 0 ? null : { from: this.#from, to: this.#to };
  }

  /** By name. */
  get hooks(): readonly (readonly [hook: string, tally: Readonly<HookTally>])[] {
    return [...this.#hooks].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** How events ended → how many. */
  get ends(): ReadonlyMap<string, { readonly before: number; readonly now: number }> {
    return this.#ends;
  }

  #hook(name: string): HookTally {
    let tally = this.#hooks.get(name);
    if (tally === undefined) {
      tally = { before: 0, now: 0, fresh: 0, gone: 0, changed: 0, heldBefore: 0, heldNow: 0 };
      this.#hooks.set(name, tally);
    }
    return tally;
  }

  #end(name: string): { before: number; now: number } {
    let end = this.#ends.get(name);
    if (end === undefined) {
      end = { before: 0, now: 0 };
      this.#ends.set(name, end);
    }
    return end;
  }
}
