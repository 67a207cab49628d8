/**
 * A delivery that its Hook's budget holds back. It stands in the outbox like any other; it ends with the digest that it goes out
 * with: one of the digest's deliveries leads and is sent in place of all, the others end as it ends, each under its own messageId.
 *
 * held ─▶ leads ─▶ as its own delivery run ends          abandon() ends it wherever it is: it stays in the outbox.
 *     └─▶ follows ─▶ as the leader ends
 */

import type { Delivery } from './delivery.ts';

/** What dispatch does with a delivery, whether it goes out at once or not. */
export interface Run {
  readonly delivery: Delivery;
  /** Milliseconds until it wants to call. */
  readonly dueInMs: number;
  /** Never rejects. Resolves with the settled delivery, or with null when it was abandoned. */
  run(): Promise<Delivery | null>;
  abandon(): void;
}

export interface HeldRunOptions {
  /** It is run: from now on it waits. */
  readonly hold: (run: HeldRun) => void;
  /** It was abandoned while it waited. */
  readonly forget: (run: HeldRun) => void;
  readonly dueInMs: () => number;
}

export class HeldRun implements Run {
  readonly #options: HeldRunOptions;
  readonly #end = Promise.withResolvers<Delivery | null>();
  #delivery: Delivery;
  #inner: Run | null = null;
  #isHeld = true;

  constructor(delivery: Delivery, options: HeldRunOptions) {
    this.#delivery = delivery;
    this.#options = options;
  }

  get delivery(): Delivery {
    return this.#inner?.delivery ?? this.#delivery;
  }

  get dueInMs(): number {
    return this.#inner?.dueInMs ?? (this.#isHeld ? this.#options.dueInMs() : 0);
  }

  run(): Promise<Delivery | null> {
    this.#options.hold(this);
    return this.#end.promise;
  }

  abandon(): void {
    if (this.#inner !== null) {
      this.#inner.abandon();
      return;
    }
    if (this.#isHeld) this.#options.forget(this);
    this.#isHeld = false;
    this.#end.resolve(null);
  }

  /** It goes out, by itself or for others; the prompt of a digest is not its own. Resolves as `run` does. */
  lead(inner: Run): Promise<Delivery | null> {
    this.#isHeld = false;
    this.#inner = inner;
    this.#end.resolve(inner.run().then((settled) => this.#endAs(settled)));
    return this.#end.promise;
  }

  /** It ends as the leader of its digest ends. */
  follow(leader: Promise<Delivery | null>): Promise<Delivery | null> {
    this.#isHeld = false;
    this.#end.resolve(leader.then((settled) => this.#endAs(settled)));
    return this.#end.promise;
  }

  #endAs(leader: Delivery | null): Delivery | null {
    if (leader === null) return null;
    this.#delivery = { ...this.#delivery, state: leader.state, ...(leader.calls && { calls: leader.calls }) };
    return this.#delivery;
  }
}
