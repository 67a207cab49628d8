// Runs in the plugin's thread.
/**
 * The sending half of the events wire. It alone cuts frames: at the end of the current turn when nothing is unacknowledged, else
 * when a frame is full or its oldest event has waited FRAME_LINGER_MS. Without credit an event waits here, inside the plugin's own
 * memory: that is the back-pressure. A promise settles when the host acknowledges the frame, and not before.
 */

import type { Clock, Timer } from '../clock.ts';
import { CodedError } from '../errors.ts';
import { eventId, type PluginEvent, type Receipt } from '../event.ts';
import { FRAME_LINGER_MS, FrameBuilder } from '../frame.ts';
import type { AckMessage, ToHost, ToPlugin } from '../messages.ts';
import type { Port } from '../port.ts';
import { EventEncoder, type Line } from './event-encoder.ts';

// Taken before a plugin, or a library in it, replaces it.
const soon = queueMicrotask;

interface Pending extends Line {
  readonly promise: Promise<Receipt>;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: CodedError) => void;
}

interface Sent {
  readonly firstOrdinal: number;
  readonly pending: readonly Pending[];
}

export interface EventSenderOptions {
  readonly port: Port<ToHost, ToPlugin>;
  readonly clock: Clock;
  readonly plugin: string;
  readonly generation: number;
  readonly idPrefix: string;
}

export class EventSender {
  readonly #options: EventSenderOptions;
  readonly #encoder: EventEncoder;
  readonly #builder = new FrameBuilder();
  #building: Pending[] = [];
  /** Events that wait for credit, oldest first; `#head` is the first that still waits. */
  #waiting: Pending[] = [];
  #head = 0;
  readonly #unacknowledged = new Map<number, Sent>();
  #credit = { events: 0, bytes: 0 };
  #sequence = 0;
  #ordinal = 0;
  #linger: Timer | null = null;
  #isCutScheduled = false;
  #isDraining = false;
  #drained: (() => void)[] = [];

  constructor(options: EventSenderOptions) {
    this.#options = options;
    this.#encoder = new EventEncoder(options);
    options.port.receive((message) => {
      if (message.kind === 'credit') this.#grant(message.events, message.bytes);
      else if (message.kind === 'ack') this.#acknowledge(message);
    });
  }

  emit(event: PluginEvent): Promise<Receipt> {
    return this.#take(event, (pending) => {
      if (this.#waitingCount === 0 && this.#hasCredit) this.#admit(pending);
      else this.#waiting.push(pending);
    });
  }

  tryEmit(event: PluginEvent): Promise<Receipt> | null {
    if (!this.#isDraining && (this.#waitingCount > 0 || !this.#hasCredit)) return null;
    return this.#take(event, (pending) => this.#admit(pending));
  }

  async emitMany(events: Iterable<PluginEvent>): Promise<Receipt[]> {
    const results = await Promise.allSettled(Array.from(events, (event) => this.emit(event)));
    const refused = results.find((result) => result.status === 'rejected');
    if (refused !== undefined) throw refused.reason;
    return results.map((result) => (result as PromiseFulfilledResult<Receipt>).value);
  }

  /** Refuses new events; resolves when all that were taken are answered. */
  drain(): Promise<void> {
    this.#isDraining = true;
    this.#cut();
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.#settleDrain();
    });
  }

  get #waitingCount(): number {
    return this.#waiting.length - this.#head;
  }

  get #hasCredit(): boolean {
    return this.#credit.events > 0 && this.#credit.bytes > 0;
  }

  #take(event: PluginEvent, place: (pending: Pending) => void): Promise<Receipt> {
    const { promise, resolve, reject } = Promise.withResolvers<Receipt>();
    if (this.#isDraining) {
      const text = `plugin ${this.#options.plugin} is stopping; the event was not taken`;
      refuse({ promise, reject }, new CodedError('EVENT_ERR_STOPPING', text));
      return promise;
    }
    try {
      const { type, line } = this.#encoder.encode(event);
      place({ type, line, promise, resolve, reject });
    } catch (error) {
      const { code, message } = error as CodedError;
      this.#options.port.post({ kind: 'refused', generation: this.#options.generation, code, message });
      refuse({ promise, reject }, error as CodedError);
    }
    return promise;
  }

  #admit(pending: Pending): void {
    this.#credit.events -= 1;
    this.#credit.bytes -= pending.line.length + 1;
    this.#builder.add(pending.type, pending.line);
    this.#building.push(pending);
    if (this.#builder.isFull) this.#cut();
    else if (this.#unacknowledged.size === 0) this.#cutSoon();
    else this.#linger ??= this.#options.clock.after(FRAME_LINGER_MS, () => this.#cut());
  }

  /** At the end of the turn, so that a burst emitted in one go makes one frame. */
  #cutSoon(): void {
    if (this.#isCutScheduled) return;
    this.#isCutScheduled = true;
    soon(() => {
      this.#isCutScheduled = false;
      if (this.#unacknowledged.size === 0) this.#cut();
      else if (!this.#builder.isEmpty) this.#linger ??= this.#options.clock.after(FRAME_LINGER_MS, () => this.#cut());
    });
  }

  #cut(): void {
    this.#linger?.cancel();
    this.#linger = null;
    if (this.#builder.isEmpty) return;
    const frame = this.#builder.cut(this.#options.generation, this.#sequence);
    this.#unacknowledged.set(this.#sequence, { firstOrdinal: this.#ordinal, pending: this.#building });
    this.#sequence += 1;
    this.#ordinal += frame.count;
    this.#building = [];
    this.#options.port.post(frame);
  }

  #grant(events: number, bytes: number): void {
    this.#credit.events += events;
    this.#credit.bytes += bytes;
    while (this.#waitingCount > 0 && this.#hasCredit) {
      const next = this.#waiting[this.#head] as Pending;
      this.#head += 1;
      this.#admit(next);
    }
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  #acknowledge(ack: AckMessage): void {
    const sent = this.#unacknowledged.get(ack.sequence);
    if (sent === undefined) return;
    this.#unacknowledged.delete(ack.sequence);
    const refusals = new Map(ack.refusals.map((refusal) => [refusal.index, refusal]));
    sent.pending.forEach((pending, index) => {
      const refusal = refusals.get(index);
      if (refusal === undefined) {
        pending.resolve({ id: eventId(this.#options.idPrefix, sent.firstOrdinal + index) });
      } else {
        refuse(pending, new CodedError(refusal.code, refusal.message, { kind: 'plugin' }));
      }
    });
    this.#grant(ack.events, ack.bytes);
    if (this.#unacknowledged.size === 0) this.#cut();
    this.#settleDrain();
  }

  #settleDrain(): void {
    if (this.#unacknowledged.size > 0 || this.#waitingCount > 0 || !this.#builder.isEmpty) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** A plugin may emit without awaiting; a refusal is logged by the host and must not end the thread as an unhandled rejection. */
function refuse({ promise, reject }: Pick<Pending, 'promise' | 'reject'>, error: CodedError): void {
  promise.catch(() => undefined);
  reject(error);
}
