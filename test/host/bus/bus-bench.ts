/** A bus with a ledger, a fake clock, and a consumer whose frames the test finishes by hand. */

import { Bus, type Consume, type Judgeable } from '../../../host/bus/bus.ts';
import { Inlet } from '../../../host/bus/inlet.ts';
import type { RateLimit } from '../../../host/config/permissions.ts';
import { Ledger } from '../../../host/ledger/ledger.ts';
import type { AckMessage, Refusal, ToPlugin } from '../../../ipc/messages.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { frameOf } from '../../support/frames.ts';

export const UNLIMITED: RateLimit = { eventsPerSecond: 1e6, burst: 1e6, whenFull: 'block' };

/** Lets promises run to their end. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface Work {
  readonly plugin: string;
  readonly frame: Judgeable;
  readonly judged: () => void;
  /** Settles what is open as unmatched and ends the frame. */
  finish(refusals?: readonly Refusal[]): void;
  fail(error: unknown): void;
}

/** One plugin as the bus sees it. */
export class Source {
  readonly inlet: Inlet;
  readonly replies: ToPlugin[] = [];
  #sequence = 0;

  constructor(bench: { readonly bus: Bus; readonly clock: FakeClock }, name: string, rateLimit: RateLimit) {
    const spec = { name, eventTypes: ['happened'], rateLimit };
    this.inlet = new Inlet({
      bus: bench.bus,
      spec,
      idPrefix: `${name}-r-1`,
      reply: (message) => this.replies.push(message),
      wall: () => bench.clock.wall(),
    });
  }

  send(count: number): string | null {
    const fault = this.inlet.accept(frameOf(count, { sequence: this.#sequence }));
    this.#sequence += 1;
    return fault;
  }

  get acks(): AckMessage[] {
    return this.replies.filter((message) => message.kind === 'ack');
  }
}

export class BusBench {
  readonly clock = new FakeClock();
  readonly ledger = new Ledger({ maxEvents: 100_000, maxBytes: 100_000_000 });
  readonly work: Work[] = [];
  /** `plugin` of each frame that reached the consumer, in order. */
  readonly order: string[] = [];
  readonly bus: Bus;

  constructor(options: { slots?: number; credit?: { events: number; bytes: number }; consume?: Consume } = {}) {
    const { slots = 2, credit = { events: 10_000, bytes: 10_000_000 } } = options;
    const consume: Consume = (frame, judged) =>
      new Promise((resolve, reject) => {
        const { plugin } = frame.entry.origin;
        this.order.push(plugin);
        this.work.push({
          plugin,
          frame,
          judged,
          finish: (refusals = []) => {
            frame.entry.settleAll(() => 'unmatched');
            judged();
            resolve(refusals);
          },
          fail: reject,
        });
      });
    this.bus = new Bus({ clock: this.clock, ledger: this.ledger, consume: options.consume ?? consume, slots, credit });
  }

  source(name: string, rateLimit: RateLimit = UNLIMITED): Source {
    return new Source(this, name, rateLimit);
  }
}
