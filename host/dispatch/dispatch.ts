/**
 * From a firing to an agent: dedup, outbox, delivery. `accept` is what a frame's ack waits for, and it waits for the outbox
 * alone; deliveries then run by themselves, each in its agent's lane, and each accepted firing is settled exactly once.
 */

import { randomUUID } from 'node:crypto';
import { type Clock, delay } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { DropReason } from '../../ipc/event.ts';
import { Emitter, type Subscribable } from '../base/emitter.ts';
import type { Firing } from '../match/verdict.ts';
import type { AgentClient } from './agent-client.ts';
import { CallBudgets } from './call-budgets.ts';
import { type Claim, DedupWindow } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import { DeliveryRun, type RunContext } from './delivery-run.ts';
import type { DispatchEvents } from './events.ts';
import type { Run } from './held-run.ts';
import { Lanes } from './lanes.ts';
import type { Outbox } from './outbox.ts';
import { PendingWrites } from './pending-writes.ts';
import { DISPATCH_DEFAULTS, type DispatchSettings } from './settings.ts';
import { droppedAtStop, overflowed, settlementOf } from './settlement.ts';
import { type RecordedFiring, takeover } from './takeover.ts';
import { UnsentFirings } from './unsent-firings.ts';

export interface FiringOfEvent {
  readonly eventId: string;
  readonly firing: Firing;
}

export type Acceptance =
  /** `until`: wall milliseconds at which the key may fire again. */
  | { readonly kind: 'duplicate'; readonly until: number }
  | { readonly kind: 'accepted'; readonly messageId: string }
  | { readonly kind: 'dropped'; readonly reason: DropReason };

export interface DispatchOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly client: AgentClient;
  readonly settings?: Partial<DispatchSettings>;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Resolves, and soon, when what has been said of a Hook's firings is known to whoever would take over. Nothing is sent before. */
  readonly recorded?: (hook: string) => Promise<void>;
}

export interface DispatchSnapshot {
  /** For a slot of their agent. */
  readonly queued: number;
  /** For their next attempt. */
  readonly waiting: number;
  /** The agent is being called, or works. */
  readonly inFlight: number;
  readonly deadLetters: number;
  readonly dedupKeys: number;
  /** Agents that are left alone for a while. */
  readonly openCircuits: readonly string[];
}

const SHUTDOWN: Acceptance = { kind: 'dropped', reason: 'shutdown' };

export class Dispatch {
  /** For Hook status; the outbox mirrors it. */
  readonly dedup: DedupWindow;
  readonly #events = new Emitter<DispatchEvents>();
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #lanes: Lanes;
  readonly #context: RunContext;
  readonly #budgets: CallBudgets;
  readonly #runs = new Map<string, { readonly run: Run; readonly done: Promise<void> }>();
  readonly #storing = new PendingWrites();
  #unsent = new UnsentFirings([]);
  /** Nothing is accepted before it is known what fired in an earlier life. */
  #restoring: Promise<unknown> | null = null;
  /** Monotonic; null while nobody has asked to stop. */
  #stopBy: number | null = null;

  constructor({ clock, outbox, client, settings = {}, random = Math.random, recorded }: DispatchOptions) {
    const complete: DispatchSettings = { ...DISPATCH_DEFAULTS, ...settings };
    this.#clock = clock;
    this.#outbox = outbox;
    this.dedup = new DedupWindow({
      windowMs: complete.dedupWindowMs,
      maxKeys: complete.maxDedupKeys,
      clock,
      onForgotten: (dedupKey) => outbox.forget(dedupKey),
    });
    // An earlier life may have left more than may stand here now.
    const maxQueued = (): number => Math.max(outbox.capacity, outbox.size);
    this.#lanes = new Lanes({ clock, settings: complete, maxQueued, events: this.#events });
    for (const name of ['outbox:opened', 'outbox:fault', 'outbox:recovered'] as const)
      outbox.events.on(name, (payload) => this.#events.emit(name, payload));
    this.#context = {
      client,
      outbox,
      clock,
      random,
      settings: complete,
      events: this.#events,
      lane: (agent) => this.#lanes.of(agent),
      recorded,
      mayWait: (ms) => this.#stopBy === null || clock.now() + ms < this.#stopBy,
    };
    const open = (delivery: Delivery): Run => new DeliveryRun(delivery, this.#context);
    this.#budgets = new CallBudgets({ clock, events: this.#events, open });
  }

  get events(): Subscribable<DispatchEvents> {
    return this.#events;
  }

  /**
   * Resolves when every firing stands in the outbox or among the dead letters; one answer per firing, in order. A duplicate waits
   * for the firing that it repeats: until that stands, nobody may be told that all is well. While the outbox cannot be written this
   * waits, until khook stops; what could not be written by then is dropped.
   */
  async accept(firings: readonly FiringOfEvent[]): Promise<readonly Acceptance[]> {
    if (this.#restoring !== null) await this.#restoring;
    if (this.#stopBy !== null) return firings.map(() => SHUTDOWN);
    const claims = new Map<string, Claim>();
    const fresh: Delivery[] = [];
    const acceptances = firings.map((each) => this.#admit(each, fresh, claims));
    if (fresh.length > 0) this.#storing.add(fresh, this.#put(fresh, claims));
    const givenUp = await this.#storing.givenUp(firings.map(({ firing }) => firing.dedupKey));
    return acceptances.map((each, n) => (givenUp[n] === true ? SHUTDOWN : each));
  }

  /**
   * Takes up what an earlier life left in the outbox, as soon as it can be read, and what others have `recorded` of firings. Returns how many
   * deliveries go on.
   */
  restore(recorded: readonly RecordedFiring[] = []): Promise<number> {
    const restoring = this.#takeUp(recorded);
    this.#restoring = restoring.then(
      () => undefined,
      () => undefined,
    );
    void this.#restoring.then(() => {
      this.#restoring = null;
    });
    return restoring;
  }

  snapshot(): DispatchSnapshot {
    const count = { queued: 0, waiting: 0, inFlight: 0 };
    for (const { run } of this.#runs.values()) {
      const { kind } = run.delivery.state;
      if (kind === 'queued' || kind === 'waiting') count[kind] += 1;
      else count.inFlight += 1;
    }
    return {
      ...count,
      deadLetters: this.#outbox.deadLetterCount,
      dedupKeys: this.dedup.size,
      openCircuits: this.#lanes.open(),
    };
  }

  /** Newest first. */
  deadLetters(limit: number): Promise<readonly Delivery[]> {
    return this.#outbox.deadLetters(limit);
  }

  /** Takes nothing more and lets deliveries finish; what cannot finish within the grace period stays in the outbox, or is dropped if that is not durable. */
  async drain(graceMs: number): Promise<{ readonly unfinished: number }> {
    this.#stopBy = this.#clock.now() + graceMs;
    this.release();
    await this.#storing.settled();
    for (const { run } of this.#runs.values()) {
      if (!this.#context.mayWait(run.dueInMs)) run.abandon();
    }
    const graceEnd = new AbortController();
    const all = Promise.all([...this.#runs.values()].map(({ done }) => done)).then(() => graceEnd.abort());
    if (graceMs > 0) await delay(this.#clock, graceMs, graceEnd.signal).catch(() => undefined);
    const left = [...this.#runs.values()];
    for (const { run } of left) run.abandon();
    await all;
    const unfinished = [...this.#runs.values()].map(({ run }) => run.delivery);
    this.#runs.clear();
    if (!this.#outbox.isDurable)
      for (const delivery of unfinished) this.#events.emit('firing:settled', droppedAtStop(delivery));
    this.#outbox.refresh(this.dedup.snapshot());
    return { unfinished: unfinished.length };
  }

  /** A stop begins: what waits for a fault of the storage to pass is dropped, and its plugin told, while it can still hear it. */
  release(): void {
    this.#outbox.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #put(fresh: readonly Delivery[], claims: ReadonlyMap<string, Claim>): Promise<void> {
    try {
      const refused = await this.#outbox.put(fresh);
      const at = this.#clock.wall();
      const dead = refused.map((delivery) => overflowed(delivery, this.#outbox.capacity, at));
      // All at once: each waits for its transaction, and they can share one.
      await Promise.all(dead.map((delivery) => this.#outbox.bury(delivery)));
      this.#begin(fresh, dead, claims);
    } catch (error) {
      for (const { messageId, firing } of fresh) this.#giveBack(firing, claims.get(messageId));
      throw error;
    }
  }

  async #takeUp(recorded: readonly RecordedFiring[]): Promise<number> {
    const [standing, known] = await Promise.all([this.#outbox.list(), this.#outbox.fired()]);
    const { deliveries, fired, settled, unsent } = takeover(recorded, { deliveries: standing, fired: known });
    this.dedup.restore(fired);
    this.#unsent = new UnsentFirings(unsent);
    for (const { delivery } of settled) this.#events.emit('firing:restored', delivery);
    const firedAt = new Map(fired.map(({ dedupKey, firstSeen }) => [dedupKey, firstSeen]));
    for (const delivery of deliveries) {
      const { dedupKey } = delivery.firing;
      // The key may have fired again since: then it is that firing's to give back.
      const claim = firedAt.get(dedupKey) === delivery.acceptedAt ? this.dedup.claimOf(dedupKey) : null;
      this.#events.emit('firing:restored', delivery);
      this.#start(delivery, claim ?? undefined);
    }
    for (const settlement of settled) {
      await this.#record(settlement.delivery);
      this.#events.emit('firing:settled', settlement);
    }
    return deliveries.length;
  }

  #admit({ eventId, firing }: FiringOfEvent, fresh: Delivery[], claims: Map<string, Claim>): Acceptance {
    const verdict = this.dedup.claim(firing, this.#clock.wall() - firing.occurredAt);
    if (verdict.kind === 'duplicate') {
      const { hook, dedupKey } = firing;
      this.#events.emit('firing:duplicate', { eventId, hook, dedupKey, until: verdict.until });
      return verdict;
    }
    const messageId = this.#unsent.take(firing.dedupKey, this.#clock.wall()) ?? randomUUID();
    claims.set(messageId, verdict.claim);
    const acceptedAt = Math.floor(this.#clock.wall());
    const state = { kind: 'queued', since: acceptedAt } as const;
    fresh.push({ messageId, contextId: randomUUID(), eventId, acceptedAt, firing, state });
    return { kind: 'accepted', messageId };
  }

  /** Says what was taken over, and starts it on a turn of its own: nothing is settled before `accept` has resolved. */
  #begin(fresh: readonly Delivery[], dead: readonly Delivery[], claims: ReadonlyMap<string, Claim>): void {
    const refused = new Map(dead.map((delivery) => [delivery.messageId, delivery]));
    for (const delivery of fresh) {
      this.#events.emit('firing:accepted', delivery);
      const claim = claims.get(delivery.messageId);
      if (refused.has(delivery.messageId)) this.#giveBack(delivery.firing, claim);
      else this.#start(delivery, claim);
    }
    if (dead.length === 0) return;
    this.#clock.after(0, () => {
      for (const delivery of dead) this.#settle(delivery);
    });
  }

  #start(delivery: Delivery, claim: Claim | undefined): void {
    const run = this.#budgets.runOf(delivery);
    const done = run.run().then(async (settled) => {
      if (settled === null) return;
      // In one turn, and so in one transaction: a dead letter does not silence its key.
      if (settled.state.kind === 'dead') this.#giveBack(settled.firing, claim);
      await this.#record(settled);
      this.#runs.delete(settled.messageId);
      this.#settle(settled);
    });
    this.#runs.set(delivery.messageId, { run, done });
  }

  async #record(delivery: Delivery): Promise<void> {
    try {
      if (delivery.state.kind === 'dead') await this.#outbox.bury(delivery);
      else await this.#outbox.remove(delivery.messageId);
    } catch (error) {
      this.#events.emit('outbox:error', { messageId: delivery.messageId, message: messageOf(error) });
    }
  }

  #settle(delivery: Delivery): void {
    const settlement = settlementOf(delivery);
    if (settlement !== null) this.#events.emit('firing:settled', settlement);
  }

  #giveBack({ dedupKey }: Firing, claim: Claim | undefined): void {
    if (claim !== undefined) this.dedup.giveBack(dedupKey, claim);
  }
}
