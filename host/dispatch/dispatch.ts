/**
 * From a firing to an agent: dedup, outbox, delivery. `accept` is what a frame's ack waits for, and it waits for the outbox
 * alone; deliveries then run by themselves, each in its agent's lane, and each accepted firing is settled exactly once.
 */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../ipc/clock.ts';
import type { DropReason } from '../../ipc/event.ts';
import { Emitter, type Subscribable } from '../base/emitter.ts';
import type { Firing } from '../match/verdict.ts';
import type { AgentClient } from './agent-client.ts';
import { CallBudgets } from './call-budgets.ts';
import { DeadLetters } from './dead-letters.ts';
import { type Claim, DedupWindow } from './dedup.ts';
import { Deliveries, type DeliveryCounts } from './deliveries.ts';
import { type Delivery, firedAt } from './delivery.ts';
import { DeliveryRun, type RunContext } from './delivery-run.ts';
import type { DispatchEvents } from './events.ts';
import type { Run } from './held-run.ts';
import { Lanes } from './lanes.ts';
import type { Outbox } from './outbox.ts';
import { OutboxRoom } from './outbox-room.ts';
import { PendingWrites } from './pending-writes.ts';
import { DISPATCH_DEFAULTS, type DispatchSettings } from './settings.ts';
import { droppedAtStop, overflowed } from './settlement.ts';
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

export interface DispatchSnapshot extends DeliveryCounts {
  readonly deadLetters: number;
  readonly dedupKeys: number;
  /** Agents that are left alone for a while. */
  readonly openCircuits: readonly string[];
}

const OUTBOX_EVENTS = [
  'outbox:opened',
  'outbox:fault',
  'outbox:recovered',
  'outbox:set-aside',
  'dead-letters:forgotten',
  'clock:stepped',
] as const;

const SHUTDOWN: Acceptance = { kind: 'dropped', reason: 'shutdown' };

export class Dispatch {
  /** For Hook status; the outbox mirrors it. */
  readonly dedup: DedupWindow;
  readonly deadLetters: DeadLetters;
  readonly budgets: CallBudgets;
  readonly #events = new Emitter<DispatchEvents>();
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #lanes: Lanes;
  readonly #room: OutboxRoom;
  readonly #deliveries: Deliveries;
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
    this.#lanes = new Lanes({ clock, settings: complete, events: this.#events });
    this.#room = new OutboxRoom({ outbox, settings: complete.room, clock, events: this.#events });
    for (const name of OUTBOX_EVENTS) outbox.events.on(name, (payload) => this.#events.emit(name, payload));
    const context: RunContext = {
      client,
      outbox,
      clock,
      random,
      settings: complete,
      events: this.#events,
      lane: (agent) => this.#lanes.of(agent),
      recorded,
      mayWait: (ms) => this.#mayWait(ms),
    };
    const open = (delivery: Delivery): Run => new DeliveryRun(delivery, context);
    this.budgets = new CallBudgets({ clock, events: this.#events, open });
    this.#deliveries = new Deliveries({
      clock,
      outbox,
      dedup: this.dedup,
      events: this.#events,
      open: (delivery) => this.budgets.runOf(delivery),
      onLeft: () => this.#room.admit(),
    });
    this.deadLetters = new DeadLetters({
      clock,
      outbox,
      dedup: this.dedup,
      room: this.#room,
      deliveries: this.#deliveries,
      events: this.#events,
      isStopping: () => this.#stopBy !== null,
    });
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

  /** The outbox is full, and sources wait for room in it. */
  get isHeldBack(): boolean {
    return this.#room.isHeldBack;
  }

  snapshot(): DispatchSnapshot {
    return {
      ...this.#deliveries.counts,
      deadLetters: this.#outbox.deadLetterCount,
      dedupKeys: this.dedup.size,
      openCircuits: this.#lanes.open(),
    };
  }

  /** Takes nothing more and lets deliveries finish; what cannot finish within the grace period stays in the outbox, or is dropped if that is not durable. */
  async drain(graceMs: number): Promise<{ readonly unfinished: number }> {
    this.#stopBy = this.#clock.now() + graceMs;
    this.release();
    await Promise.all([this.#storing.settled(), this.deadLetters.settled()]);
    const unfinished = await this.#deliveries.end(graceMs, (ms) => this.#mayWait(ms));
    if (!this.#outbox.isDurable)
      for (const delivery of unfinished) this.#events.emit('firing:settled', droppedAtStop(delivery));
    this.#outbox.refresh(this.dedup.snapshot());
    return { unfinished: unfinished.length };
  }

  /** A stop begins: what waits for the storage or for room in it is dropped, and its plugin told, while it can still hear it. */
  release(): void {
    this.#room.release();
    this.#outbox.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #put(fresh: readonly Delivery[], claims: ReadonlyMap<string, Claim>): Promise<void> {
    try {
      const refused = await this.#room.put(fresh);
      const at = this.#clock.wall();
      const dead = refused.map((delivery) => overflowed(delivery, this.#outbox.size, at));
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
    const lastFired = new Map(fired.map(({ dedupKey, firstSeen }) => [dedupKey, firstSeen]));
    this.#unsent = new UnsentFirings(unsent);
    for (const { delivery } of settled) this.#events.emit('firing:restored', delivery);
    for (const delivery of deliveries) {
      const { dedupKey } = delivery.firing;
      // The key may have fired again since: then it is that firing's to give back.
      const isOwn = lastFired.get(dedupKey) === firedAt(delivery);
      this.#events.emit('firing:restored', delivery);
      this.#deliveries.start(delivery, isOwn ? this.dedup.claimOf(dedupKey) : null);
    }
    for (const settlement of settled) {
      await this.#deliveries.close(settlement);
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
      else this.#deliveries.start(delivery, claim ?? null);
    }
    if (dead.length === 0) return;
    this.#clock.after(0, () => {
      for (const delivery of dead) this.#deliveries.settle(delivery);
    });
  }

  #mayWait(ms: number): boolean {
    return this.#stopBy === null || this.#clock.now() + ms < this.#stopBy;
  }

  #giveBack({ dedupKey }: Firing, claim: Claim | undefined): void {
    if (claim !== undefined) this.dedup.giveBack(dedupKey, claim);
  }
}
