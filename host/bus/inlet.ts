/** Where the frames of one generation enter the bus: checks that they come in order and within the credit, and gives the credit back with the ack. */

import type { Frame } from '../../ipc/frame.ts';
import type { ToPlugin } from '../../ipc/messages.ts';
import type { PluginSpec } from '../config/plugin-plan.ts';
import type { Bus } from './bus.ts';

/** A runtime may overrun its byte credit by one event, never by more. */
const BYTES_SLACK = 64 * 1024 + 1;

export interface InletOptions {
  readonly bus: Bus;
  readonly spec: Pick<PluginSpec, 'name' | 'eventTypes' | 'rateLimit'>;
  readonly idPrefix: string;
  readonly reply: (message: ToPlugin) => void;
  readonly wall: () => number;
}

export class Inlet {
  readonly #options: InletOptions;
  readonly #eventTypes: ReadonlySet<string>;
  readonly credit: { readonly events: number; readonly bytes: number };
  #left: { events: number; bytes: number };
  #sequence = 0;
  #ordinal = 0;
  #isOpen = true;

  constructor(options: InletOptions) {
    this.#options = options;
    this.#eventTypes = new Set(options.spec.eventTypes);
    this.credit = options.bus.credit;
    this.#left = { ...this.credit };
  }

  /** Returns what is wrong with the frame, or null when it was taken. */
  accept(frame: Frame): string | null {
    if (!this.#isOpen) return null;
    if (frame.sequence !== this.#sequence) return `frame ${frame.sequence} where frame ${this.#sequence} was due`;
    const bytes = frame.lines.length + 1;
    this.#left.events -= frame.count;
    this.#left.bytes -= bytes;
    if (this.#left.events < 0 || this.#left.bytes < -BYTES_SLACK) return 'more events than it had credit for';
    const { bus, spec, idPrefix, reply, wall } = this.#options;
    const origin = { plugin: spec.name, idPrefix, firstOrdinal: this.#ordinal, receivedAt: wall() };
    const { sequence, count } = frame;
    this.#sequence += 1;
    this.#ordinal += count;
    bus.accept({
      frame,
      origin,
      eventTypes: this.#eventTypes,
      rateLimit: spec.rateLimit,
      acknowledge: (refusals) => {
        this.#left.events += count;
        this.#left.bytes += bytes;
        if (this.#isOpen) reply({ kind: 'ack', sequence, refusals, events: count, bytes });
      },
    });
    return null;
  }

  close(): void {
    this.#isOpen = false;
  }
}
