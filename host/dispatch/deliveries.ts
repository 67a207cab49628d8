/**
 * The deliveries under way. Each is run to its end, what came of it is recorded in the outbox, and then it is said to be settled, exactly
 * once. One that is abandoned because khook stops stays in the outbox as it is.
 */

import { type Clock, delay } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { Emitter } from '../base/emitter.ts';
import type { Claim, DedupWindow } from './dedup.ts';
import type { Delivery } from './delivery.ts';
import type { DispatchEvents } from './events.ts';
import type { Run } from './held-run.ts';
import type { Outbox } from './outbox.ts';
import { type Settlement, settlementOf } from './settlement.ts';

export interface DeliveriesOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly dedup: DedupWindow;
  readonly events: Emitter<DispatchEvents>;
  readonly open: (delivery: Delivery) => Run;
  /** One has left the outbox. */
  readonly onLeft: () => void;
}

export interface DeliveryCounts {
  /** For a slot of their agent. */
  readonly queued: number;
  /** For their next attempt. */
  readonly waiting: number;
  /** The agent is being called, or works. */
  readonly inFlight: number;
}

export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #runs = new Map<string, { readonly run: Run; readonly done: Promise<void> }>();

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  get counts(): DeliveryCounts {
    const count = { queued: 0, waiting: 0, inFlight: 0 };
    for (const { run } of this.#runs.values()) {
      const { kind } = run.delivery.state;
      if (kind === 'queued' || kind === 'waiting') count[kind] += 1;
      else count.inFlight += 1;
    }
    return count;
  }

  /** It stands in the outbox. `claim`: of its key, given back when it dies; null: the key is not its own. */
  start(delivery: Delivery, claim: Claim | null): void {
    const { dedup, open, onLeft } = this.#options;
    const run = open(delivery);
    const done = run.run().then(async (settled) => {
      if (settled === null) return;
      // In one turn, and so in one transaction: a dead letter does not silence its key.
      if (settled.state.kind === 'dead' && claim !== null) dedup.giveBack(settled.firing.dedupKey, claim);
      await this.#record(settled);
      this.#runs.delete(settled.messageId);
      this.settle(settled);
      onLeft();
    });
    this.#runs.set(delivery.messageId, { run, done });
  }

  /** Says how one ended that is dead or delivered. */
  settle(delivery: Delivery): void {
    const settlement = settlementOf(delivery);
    if (settlement !== null) this.#options.events.emit('firing:settled', settlement);
  }

  /** One that stands in the outbox and was never started here: it is over, as `settlement` says. */
  async close(settlement: Settlement): Promise<void> {
    await this.#record(settlement.delivery);
    this.#options.events.emit('firing:settled', settlement);
  }

  /** Lets them end within the grace period; returns those that could not. One that would wait past it is not waited for. */
  async end(graceMs: number, mayWait: (ms: number) => boolean): Promise<readonly Delivery[]> {
    const { clock } = this.#options;
    for (const { run } of this.#runs.values()) {
      if (!mayWait(run.dueInMs)) run.abandon();
    }
    const graceEnd = new AbortController();
    const all = Promise.all([...this.#runs.values()].map(({ done }) => done)).then(() => graceEnd.abort());
    if (graceMs > 0) await delay(clock, graceMs, graceEnd.signal).catch(() => undefined);
    for (const { run } of [...this.#runs.values()]) run.abandon();
    await all;
    const unfinished = [...this.#runs.values()].map(({ run }) => run.delivery);
    this.#runs.clear();
    return unfinished;
  }

  async #record(delivery: Delivery): Promise<void> {
    const { outbox, events } = this.#options;
    try {
      if (delivery.state.kind === 'dead') await outbox.bury(delivery);
      else await outbox.remove(delivery.messageId);
    } catch (error) {
      events.emit('outbox:error', { messageId: delivery.messageId, message: messageOf(error) });
    }
  }
}
