/** One set of Hooks at work in virtual time: the matcher of the host, and its dispatch with nobody at the other end. */

import type { DedupWindow } from '../dispatch/dedup.ts';
import { Dispatch } from '../dispatch/dispatch.ts';
import { MemoryOutbox } from '../dispatch/memory-outbox.ts';
import type { Firing } from '../match/verdict.ts';
import { type Inheritance, placed, toleranceMs } from './history.ts';
import { type DeclaredTypes, type GivenRules, Judge, type Judged } from './judge.ts';
import { RecordedAgent } from './recorded-agent.ts';
import type { EventRead } from './recording-line.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface WorldOptions {
  readonly clock: VirtualClock;
  readonly frameTimeoutMs: number;
}

/** What one firing came to. */
export type WorldDecision =
  | { readonly kind: 'sent' }
  /** Over the budget of its Hook: it goes out with a digest. */
  | { readonly kind: 'held' }
  /** `of`: id of the event that fired; null when that was before the recording. `until`: Unix milliseconds. */
  | { readonly kind: 'duplicate'; readonly of: string | null; readonly until: number };

export interface WorldFiring {
  readonly firing: Firing;
  readonly decision: WorldDecision;
}

export interface WorldEvent {
  readonly judged: Judged;
  readonly firings: readonly WorldFiring[];
}

/** Nothing may end by itself here: no circuit, no age, no full outbox. What failed in the recording fails, and nothing else. */
const UNHINDERED = {
  concurrencyPerAgent: 1_000_000,
  callTimeoutMs: 2 ** 31 - 1,
  taskTimeoutMs: 2 ** 31 - 1,
  maxAgeMs: Number.MAX_SAFE_INTEGER,
  room: { maxFirings: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER, whenFull: 'dead_letter' },
  circuit: { failures: Number.MAX_SAFE_INTEGER, pauseMs: 1 },
  retry: { attempts: 1, backoff: { initialMs: 1, maxMs: 1, factor: 1 }, maxRetryAfterMs: 1 },
} as const;
const MAX_KEYS = 50_000;

export class World implements AsyncDisposable {
  readonly judge: Judge;
  readonly #clock: VirtualClock;
  readonly #agent: RecordedAgent;
  #dispatch: Dispatch | null = null;
  #dedupWindowMs = 0;
  /** Messages that are held, by the accept under way. */
  readonly #held = new Set<string>();
  /** Key → the event that fired last. */
  readonly #firedBy = new Map<string, string>();
  readonly #digests = new Map<string, number>();

  constructor({ clock, frameTimeoutMs }: WorldOptions) {
    this.#clock = clock;
    this.#agent = new RecordedAgent(clock);
    this.judge = new Judge({ clock, frameTimeoutMs });
  }

  /** Hook → digests that went out. */
  get digests(): ReadonlyMap<string, number> {
    return this.#digests;
  }

  /** A run of the host begins: what fired is remembered, budgets begin anew. */
  begin({ dedupWindowMs }: { readonly dedupWindowMs: number }): void {
    const fired = this.#dispatch?.dedup.snapshot() ?? [];
    const dispatch = new Dispatch({
      clock: this.#clock,
      outbox: new MemoryOutbox({ clock: this.#clock }),
      client: this.#agent,
      settings: { ...UNHINDERED, dedupWindowMs },
      random: () => 0,
    });
    dispatch.dedup.restore(fired);
    dispatch.events.on('firing:held', ({ delivery }) => this.#held.add(delivery.messageId));
    dispatch.events.on('digest:sent', ({ hook }) => this.#digests.set(hook, (this.#digests.get(hook) ?? 0) + 1));
    this.#dispatch = dispatch;
    this.#dedupWindowMs = dedupWindowMs;
  }

  setRules(rules: GivenRules, declared: DeclaredTypes): void {
    this.judge.setRules(rules, declared);
  }

  /** One event, at its time. `judged`: with others, or null. Rejects with HOST_ERR_MATCH. */
  async fire(
    event: EventRead,
    { judged, inherited }: { readonly judged: Judged | null; readonly inherited: Inheritance },
  ): Promise<WorldEvent> {
    const dispatch = this.#dispatch;
    if (dispatch === null) throw new Error('no run of a host has begun');
    // What is inherited has its times on the scale of the monotonic clock, the event its own by the host's wall clock.
    this.#clock.setWall(this.#clock.now());
    for (const { hook, startedAt, calls } of inherited.budgets) dispatch.budgets.takeOver(hook, { startedAt, calls });
    let own = judged ?? (await this.judge.alone(event));
    this.#silence(own, inherited);
    this.#breakTies(own, inherited);
    this.#clock.setWall(event.judgedAt ?? event.receivedAt);
    // One that fires although it repeats another of its frame needs a prompt of its own: the other was long ago, or failed.
    if (own.firings.some(({ firing, isOwn }) => !isOwn && !dispatch.dedup.isSilenced(firing.dedupKey)))
      own = await this.judge.alone(event);
    const failures = new Map(
      matching(own, inherited.failures).map(({ firing, at }) => {
        const { hook, configuration } = firing;
        return [firing, this.#agent.expectFailure({ eventId: event.id, hook, configuration, at })];
      }),
    );
    this.#held.clear();
    const acceptances = await dispatch.accept(own.firings.map(({ firing }) => ({ eventId: event.id, firing })));
    const firings = own.firings.map(({ firing }, n): WorldFiring => {
      const acceptance = acceptances[n];
      if (acceptance?.kind === 'duplicate') {
        failures.get(firing)?.();
        const of = this.#firedBy.get(firing.dedupKey) ?? null;
        return { firing, decision: { kind: 'duplicate', of, until: acceptance.until } };
      }
      this.#remember(firing.dedupKey, event.id);
      const isHeld = acceptance?.kind === 'accepted' && this.#held.has(acceptance.messageId);
      return { firing, decision: { kind: isHeld ? 'held' : 'sent' } };
    });
    return { judged: own, firings };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.judge[Symbol.asyncDispose]();
  }

  /** What had fired outside of the recording silences its key here too, unless that has fired since. */
  #silence(judged: Judged, { silenced }: Inheritance): void {
    const dedup = this.#dispatch?.dedup;
    for (const { firing, firedAt } of matching(judged, silenced)) {
      if (dedup === undefined || dedup.isSilenced(firing.dedupKey)) continue;
      refire(dedup, firing, firedAt);
      this.#firedBy.delete(firing.dedupKey);
    }
  }

  /** Where a window ends within what the recording cannot tell apart, what the host made of the firing decides on which side it was. */
  #breakTies(judged: Judged, { decided }: Inheritance): void {
    const dedup = this.#dispatch?.dedup;
    for (const { firing, isSilenced } of matching(judged, decided)) {
      const remaining = dedup?.remainingMs(firing.dedupKey) ?? null;
      if (dedup === undefined || remaining === null || Math.abs(remaining) > toleranceMs(this.#dedupWindowMs)) continue;
      if (isSilenced && remaining <= 0) refire(dedup, firing, this.#clock.now() + 1 - this.#dedupWindowMs);
      if (!isSilenced && remaining > 0) giveBack(dedup, firing);
    }
  }

  #remember(dedupKey: string, eventId: string): void {
    this.#firedBy.delete(dedupKey);
    this.#firedBy.set(dedupKey, eventId);
    if (this.#firedBy.size <= MAX_KEYS) return;
    const [oldest] = this.#firedBy.keys();
    if (oldest !== undefined) this.#firedBy.delete(oldest);
  }
}

function giveBack(dedup: DedupWindow, { dedupKey }: Firing): void {
  const claim = dedup.claimOf(dedupKey);
  if (claim !== null) dedup.giveBack(dedupKey, claim);
}

/** As if it had fired then, and not since. */
function refire(dedup: DedupWindow, firing: Firing, firedAt: number): void {
  giveBack(dedup, firing);
  const { dedupKey, hook, eventType, resourceName } = firing;
  dedup.restore([{ dedupKey, hook, eventType, resourceName, firstSeen: firedAt, lastSeen: firedAt, duplicates: 0 }]);
}

/** What is told of recorded firings, with the firings of this world that stand in their place. */
function matching<Told extends { readonly hook: string; readonly place: number }>(
  judged: Judged,
  told: readonly Told[],
): (Told & { readonly firing: Firing })[] {
  if (told.length === 0) return [];
  const here = placed(judged.firings.map(({ firing }) => firing));
  return told.flatMap((each) => {
    const found = here.find(({ hook, place }) => hook === each.hook && place === each.place);
    return found === undefined ? [] : [{ ...each, firing: found.firing }];
  });
}
