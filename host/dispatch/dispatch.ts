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
import { type Claim, DedupWindow } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import { DeliveryRun, type RunContext } from './delivery-run.ts';
import type { DispatchEvents } from './events.ts';
import { Lanes } from './lanes.ts';
import type { Outbox } from './outbox.ts';
import { DISPATCH_DEFAULTS, type DispatchSettings } from './settings.ts';

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

export class Dispatch {
  /** For Hook status, and for a store that outlives the process. */
  readonly dedup: DedupWindow;
  readonly #events = new Emitter<DispatchEvents>();
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #lanes: Lanes;
  readonly #context: RunContext;
  readonly #runs = new Map<string, { readonly run: DeliveryRun; readonly done: Promise<void> }>();
  /** Of `accept` calls that wait for the outbox: a stop waits for them. */
  readonly #storing = new Set<Promise<void>>();
  /** Monotonic; null while nobody has asked to stop. */
  #stopBy: number | null = null;

  constructor({ clock, outbox, client, settings = {}, random = Math.random }: DispatchOptions) {
    const complete: DispatchSettings = { ...DISPATCH_DEFAULTS, ...settings };
    this.#clock = clock;
    this.#outbox = outbox;
    this.dedup = new DedupWindow({ windowMs: complete.dedupWindowMs, maxKeys: complete.maxDedupKeys, clock });
    this.#lanes = new Lanes({ clock, settings: complete, maxQueued: outbox.capacity, events: this.#events });
    this.#context = {
      client,
      outbox,
      clock,
      random,
      settings: complete,
      events: this.#events,
      lane: (agent) => this.#lanes.of(agent),
      mayWait: (ms) => this.#stopBy === null || clock.now() + ms < this.#stopBy,
    };
  }

  get events(): Subscribable<DispatchEvents> {
    return this.#events;
  }

  /** Resolves when every firing stands in the outbox or among the dead letters; one answer per firing, in order. Rejects, and takes none, when the outbox cannot write. */
  async accept(firings: readonly FiringOfEvent[]): Promise<readonly Acceptance[]> {
    if (this.#stopBy !== null) return firings.map(() => ({ kind: 'dropped', reason: 'shutdown' }));
    const claims = new Map<string, Claim>();
    const fresh: Delivery[] = [];
    const acceptances = firings.map((each) => this.#admit(each, fresh, claims));
    if (fresh.length === 0) return acceptances;
    await this.#store(fresh, claims);
    return acceptances;
  }

  /** Takes up what an earlier life left in the outbox. Returns how many deliveries that are. */
  async restore(): Promise<number> {
    const deliveries = await this.#outbox.list();
    for (const delivery of deliveries) {
      const verdict = this.dedup.claim(delivery.firing);
      const claim = verdict.kind === 'first' ? verdict.claim : this.dedup.claimOf(delivery.firing.dedupKey);
      this.#start(delivery, claim ?? undefined);
    }
    return deliveries.length;
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
    await Promise.allSettled(this.#storing);
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
    if (!this.#outbox.isDurable) for (const delivery of unfinished) this.#dropped(delivery);
    return { unfinished: unfinished.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #store(fresh: readonly Delivery[], claims: ReadonlyMap<string, Claim>): Promise<void> {
    const stored = this.#outbox.put(fresh).then(async (refused) => {
      const at = this.#clock.wall();
      const dead = refused.map((delivery) => this.#overflowed(delivery, at));
      for (const delivery of dead) await this.#record(delivery);
      this.#begin(fresh, dead, claims);
    });
    this.#storing.add(stored);
    try {
      await stored;
    } catch (error) {
      for (const { messageId, firing } of fresh) this.#giveBack(firing, claims.get(messageId));
      throw error;
    } finally {
      this.#storing.delete(stored);
    }
  }

  #admit({ eventId, firing }: FiringOfEvent, fresh: Delivery[], claims: Map<string, Claim>): Acceptance {
    const verdict = this.dedup.claim(firing);
    if (verdict.kind === 'duplicate') {
      const { hook, dedupKey } = firing;
      this.#events.emit('firing:duplicate', { eventId, hook, dedupKey, until: verdict.until });
      return verdict;
    }
    const messageId = randomUUID();
    claims.set(messageId, verdict.claim);
    const since = this.#clock.wall();
    fresh.push({ messageId, contextId: randomUUID(), eventId, firing, state: { kind: 'queued', since } });
    return { kind: 'accepted', messageId };
  }

  /** Says what was taken over, and starts it on a turn of its own: nothing is settled before `accept` has resolved. */
  #begin(fresh: readonly Delivery[], dead: readonly Delivery[], claims: ReadonlyMap<string, Claim>): void {
    const refused = new Map(dead.map((delivery) => [delivery.messageId, delivery]));
    for (const delivery of fresh) {
      this.#events.emit('firing:accepted', delivery);
      if (!refused.has(delivery.messageId)) this.#start(delivery, claims.get(delivery.messageId));
    }
    if (dead.length === 0) return;
    this.#clock.after(0, () => {
      for (const delivery of dead) this.#settle(delivery, claims.get(delivery.messageId));
    });
  }

  #start(delivery: Delivery, claim: Claim | undefined): void {
    const run = new DeliveryRun(delivery, this.#context);
    const done = run.run().then(async (settled) => {
      if (settled === null) return;
      await this.#record(settled);
      this.#runs.delete(settled.messageId);
      this.#settle(settled, claim);
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

  #settle(delivery: Delivery, claim: Claim | undefined): void {
    const { state, firing } = delivery;
    if (state.kind === 'dead') {
      this.#giveBack(firing, claim);
      this.#events.emit('firing:settled', {
        delivery,
        outcome: 'dead_lettered',
        detail: `${state.code}: ${state.reason}`,
      });
    } else if (state.kind === 'delivered') {
      const detail = state.taskId === '' ? 'the agent answered at once' : `task ${state.taskId} completed`;
      this.#events.emit('firing:settled', { delivery, outcome: 'delivered', detail });
    }
  }

  #dropped(delivery: Delivery): void {
    const detail = 'khook stopped before it was delivered, and its outbox does not outlive the process';
    this.#events.emit('firing:settled', { delivery, outcome: 'dropped', detail });
  }

  #overflowed(delivery: Delivery, at: number): Delivery {
    const reason = `outbox_full: ${this.#outbox.capacity} firings wait for their agents already. Check that the agents work.`;
    return { ...delivery, state: { kind: 'dead', reason, code: 'HOST_ERR_OUTBOX_FULL', at } };
  }

  #giveBack({ dedupKey }: Firing, claim: Claim | undefined): void {
    if (claim !== undefined) this.dedup.giveBack(dedupKey, claim);
  }
}
