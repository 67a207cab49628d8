/** Events that a person sends with `khook emit`, in the name of any source: they go the way of every event, from the bus on. */

import { FrameBuilder } from '../ipc/frame.ts';
import type { Bus } from './bus/bus.ts';
import type { EventSnapshot, TestEvent } from './http/view.ts';
import type { EventSnapshots } from './snapshots/event-snapshots.ts';

export interface TestEventsOptions {
  readonly bus: Bus;
  readonly snapshots: EventSnapshots;
  readonly run: string;
  readonly wall: () => number;
}

export class TestEvents {
  readonly #options: TestEventsOptions;
  #ordinal = 0;

  constructor(options: TestEventsOptions) {
    this.#options = options;
  }

  /** Resolves when the event has its verdict and its firings are in dispatch's hands. */
  async emit({ source, type, ...event }: TestEvent): Promise<EventSnapshot> {
    const { bus, snapshots, run, wall } = this.#options;
    const receivedAt = wall();
    const firstOrdinal = this.#ordinal;
    this.#ordinal += 1;
    const builder = new FrameBuilder();
    builder.add(type, JSON.stringify({ timestamp: new Date(receivedAt).toISOString(), ...event }));
    const frame = builder.cut(0, firstOrdinal);
    const entry = await new Promise<ReturnType<Bus['accept']>>((resolve) => {
      const accepted = bus.accept({
        frame,
        origin: { plugin: source, idPrefix: `emit-${run}`, firstOrdinal, receivedAt },
        eventTypes: null,
        rateLimit: null,
        acknowledge: () => queueMicrotask(() => resolve(accepted)),
      });
    });
    const snapshot = await snapshots.of(entry, 0);
    if (snapshot === null) throw new Error('the event that was just accepted is not in the ledger');
    return snapshot;
  }
}
