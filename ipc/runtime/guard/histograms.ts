// Runs in the plugin's thread.
/** Histograms of node:perf_hooks. Some of what they do is a loop in C++ that nothing can end, with as many steps as the caller likes. */

import type { Doors } from './doors.ts';
import { intercept } from './lock.ts';
import { type AnyFunction, apply, asNumber, getOwnPropertyDescriptor, getPrototypeOf } from './primordials.ts';
import type { Refusals } from './refusal.ts';

/** A few milliseconds. */
const MOST_CORRECTIONS = 1_000_000;
/** A few megabytes: V8 ends the process when its heap is full in the middle of such a loop. */
const MOST_BUCKETS = 100_000;
const MOST_INTEGER = 2 ** 62;
const WHY = 'nothing could end it, and a thread of the host would be gone';

export function guardHistograms(refusals: Refusals, doors: Doors): void {
  const check = (steps: number, most: number, what: string): void => {
    if (steps > most) throw refusals.error(`more than ${most} ${what} of a histogram`, WHY);
  };
  doors.on(['perf_hooks'], (hooks) => {
    const recordable = getPrototypeOf(apply(hooks.createHistogram as AnyFunction, hooks, []) as object) as object;
    const prototype = getPrototypeOf(recordable) as object;
    const largest = getOwnPropertyDescriptor(prototype, 'max')?.get as AnyFunction;
    intercept(recordable, 'recordCorrected', (original, self, args) => {
      if (typeof args[0] === typeof args[1]) check(size(args[0]) / size(args[1]), MOST_CORRECTIONS, 'corrections');
      return apply(original, self as object, args);
    });
    intercept(prototype, 'linearBuckets', (original, self, args) => {
      check(size(apply(largest, self as object, [])) / size(args[0]), MOST_BUCKETS, 'buckets');
      return apply(original, self as object, args);
    });
    intercept(prototype, 'logBuckets', (original, self, args) => {
      // Its whole part alone is used: from 1.5 no bucket is larger than the one before.
      const base = args[1];
      const isSound = typeof base !== 'number' || base <= 1 || (base >= 2 && size(args[0]) * base < MOST_INTEGER);
      if (!isSound) check(Infinity, MOST_BUCKETS, 'buckets');
      return apply(original, self as object, args);
    });
  });
}

/** What is no number is refused by Node itself. */
function size(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? asNumber(value) : 1;
}
