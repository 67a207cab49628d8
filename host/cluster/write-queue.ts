/**
 * Lets a few writes run at a time, and no more in a second than the API server should have to bear: what is urgent first and with a budget of its own,
 * the rest when there is room. In the order in which they came.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { type BucketRate, fullBucket, type TokenBucket, take, waitMs } from '../base/token-bucket.ts';

export interface WriteQueueOptions<Item> {
  readonly clock: Clock;
  /** Never rejects. */
  readonly run: (item: Item) => Promise<void>;
  readonly slots?: number;
}

interface Line<Item> {
  readonly items: Set<Item>;
  readonly rate: BucketRate;
  bucket: TokenBucket;
}

const SLOTS = 8;
/** A burst over many Hooks begins at once. */
const URGENT: BucketRate = { perSecond: 40, burst: 200 };
const ORDINARY: BucketRate = { perSecond: 10, burst: 50 };

export class WriteQueue<Item> {
  readonly #options: WriteQueueOptions<Item>;
  readonly #slots: number;
  readonly #urgent: Line<Item>;
  readonly #ordinary: Line<Item>;
  #running = 0;
  #timer: Timer | null = null;

  constructor(options: WriteQueueOptions<Item>) {
    this.#options = options;
    this.#slots = options.slots ?? SLOTS;
    const line = (rate: BucketRate): Line<Item> => {
      return { items: new Set(), rate, bucket: fullBucket(rate, options.clock.now()) };
    };
    this.#urgent = line(URGENT);
    this.#ordinary = line(ORDINARY);
  }

  /** One that waits already may become urgent by that. */
  add(item: Item, isUrgent: boolean): void {
    if (this.#urgent.items.has(item)) return;
    if (isUrgent) this.#ordinary.items.delete(item);
    (isUrgent ? this.#urgent : this.#ordinary).items.add(item);
    this.#pump();
  }

  remove(item: Item): void {
    this.#urgent.items.delete(item);
    this.#ordinary.items.delete(item);
    this.#pump();
  }

  #pump(): void {
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#running < this.#slots) {
      const now = this.#options.clock.now();
      const lines = [this.#urgent, this.#ordinary].filter(({ items }) => items.size > 0);
      const line = lines.find(({ bucket, rate }) => waitMs(bucket, rate, now) === 0);
      if (line === undefined) {
        const waits = lines.map(({ bucket, rate }) => waitMs(bucket, rate, now));
        if (waits.length > 0) this.#timer = this.#options.clock.after(Math.min(...waits), () => this.#pump());
        return;
      }
      this.#begin(line, now);
    }
  }

  #begin(line: Line<Item>, now: number): void {
    for (const item of line.items) {
      line.items.delete(item);
      line.bucket = take(line.bucket, line.rate, { now, count: 1 });
      this.#running += 1;
      void this.#options.run(item).then(() => {
        this.#running -= 1;
        this.#pump();
      });
      return;
    }
  }
}
