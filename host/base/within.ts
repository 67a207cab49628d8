import { type Clock, delay } from '../../ipc/clock.ts';

/** Waits for `promise`, but no longer than `ms`; leaves no timer behind. Rejects as `promise` does. */
export async function within(clock: Clock, promise: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  const limit = delay(clock, ms, over.signal).catch(() => undefined);
  try {
    await Promise.race([promise, limit]);
  } finally {
    over.abort();
  }
}
