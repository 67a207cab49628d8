/**
 * How much of the host thread's time all plugins together may take with what they say beside events: log lines, metrics, refusals.
 * Each is bounded by itself, but many that talk at their bounds would leave nothing for the events of the others. When the time is
 * used up, those who took more than a little rest: what they say waits on their own wire. Whoever says little is always heard.
 */

import type { Clock } from '../../ipc/clock.ts';
import { type BucketRate, fullBucket, type TokenBucket, take, waitMs } from '../base/token-bucket.ts';

/** Milliseconds of the host thread: a quarter of it for all, and for each the little that is not waited for. */
const ALL: BucketRate = { perSecond: 250, burst: 250 };
const ONE: BucketRate = { perSecond: 10, burst: 30 };
/** A plugin that is not read at all for longer would look as if it had gone silent. */
const LONGEST_REST_MS = 500;

export interface Share {
  /** So much was spent on what this plugin said. */
  spend(ms: number): void;
  /** For so long it is not to be listened to; 0: go on. */
  restMs(): number;
}

export class Attention {
  readonly #clock: Pick<Clock, 'now'>;
  #all: TokenBucket;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#all = fullBucket(ALL, clock.now());
  }

  /** For one run of a plugin. */
  share(): Share {
    const clock = this.#clock;
    let own = fullBucket(ONE, clock.now());
    return {
      spend: (count) => {
        const now = clock.now();
        own = take(own, ONE, { now, count });
        this.#all = take(this.#all, ALL, { now, count });
      },
      restMs: () => {
        const now = clock.now();
        return waitMs(own, ONE, now) === 0 ? 0 : Math.min(LONGEST_REST_MS, waitMs(this.#all, ALL, now));
      },
    };
  }
}
