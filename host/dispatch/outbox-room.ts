/**
 * The way into the outbox, which is bounded in firings and in bytes. What finds no room is handed back, to be dead-lettered, or it waits
 * for room, in the order of coming, and its frame and source with it: `whenFull` says which. Those that wait go in as they came, together:
 * the last of them may stand over the bound, for else a frame that is larger than the outbox could never go in.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { Emitter } from '../base/emitter.ts';
import { HostError } from '../base/errors.ts';
import { bytesOf, type Delivery } from './delivery.ts';
import type { DispatchEvents } from './events.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxRoomSettings } from './settings.ts';

export interface OutboxRoomOptions {
  readonly outbox: Outbox;
  readonly settings: OutboxRoomSettings;
  readonly clock: Clock;
  readonly events: Emitter<DispatchEvents>;
}

interface Waiting {
  readonly enter: () => void;
  readonly refuse: (error: HostError) => void;
}

export class OutboxRoom {
  readonly #options: OutboxRoomOptions;
  /** Bounded by the credit of the plugins. */
  readonly #waiting: Waiting[] = [];
  /** Monotonic; null while nobody waits. */
  #fullSince: number | null = null;
  #isReleased = false;

  constructor(options: OutboxRoomOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    const { outbox, settings } = this.#options;
    return outbox.size >= settings.maxFirings || outbox.bytes >= settings.maxBytes;
  }

  /** Sources wait for room. */
  get isHeldBack(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when they stand in the outbox; with those that found no room, in order. Rejects with HOST_ERR_STOPPING, or as the outbox does. */
  async put(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const { outbox, settings } = this.#options;
    if (settings.whenFull === 'dead_letter') {
      const { taken, refused } = this.#split(deliveries);
      if (taken.length > 0) await outbox.put(taken);
      return refused;
    }
    if (this.#waiting.length > 0 || this.isFull) await this.#untilRoom(() => outbox.put(deliveries));
    else await outbox.put(deliveries);
    return [];
  }

  /** Something has left the outbox. */
  admit(): void {
    while (!this.isFull) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      // Takes its room at once.
      next.enter();
    }
    if (this.#waiting.length > 0 || this.#fullSince === null) return;
    const { clock, events } = this.#options;
    events.emit('outbox:roomy', { forMs: clock.now() - this.#fullSince });
    this.#fullSince = null;
  }

  /** khook stops: nobody waits for room any more. */
  release(): void {
    this.#isReleased = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(stopping());
  }

  #untilRoom(put: () => Promise<void>): Promise<void> {
    if (this.#isReleased) return Promise.reject(stopping());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ enter: () => resolve(put()), refuse: reject });
    if (this.#fullSince === null) {
      const { clock, events, outbox } = this.#options;
      this.#fullSince = clock.now();
      events.emit('outbox:full', { firings: outbox.size });
    }
    return promise;
  }

  /** A single one goes into an empty outbox whatever its size, or nobody could ever send it. */
  #split(deliveries: readonly Delivery[]): {
    readonly taken: readonly Delivery[];
    readonly refused: readonly Delivery[];
  } {
    const { outbox, settings } = this.#options;
    const [taken, refused]: [Delivery[], Delivery[]] = [[], []];
    let { size, bytes } = outbox;
    for (const delivery of deliveries) {
      const more = bytesOf(delivery);
      const fits = size < settings.maxFirings && (size === 0 || bytes + more <= settings.maxBytes);
      (fits ? taken : refused).push(delivery);
      if (!fits) continue;
      size += 1;
      bytes += more;
    }
    return { taken, refused };
  }
}

function stopping(): HostError {
  return new HostError('HOST_ERR_STOPPING', 'khook stops, and there was no room in its outbox.');
}
