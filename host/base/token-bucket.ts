/** A token bucket that may go into debt, as a pure function over (state, now): a whole frame is taken at once, the debt is waited for. */

export interface TokenBucket {
  readonly tokens: number;
  /** Monotonic milliseconds at which `tokens` was true. */
  readonly at: number;
}

export interface BucketRate {
  readonly perSecond: number;
  readonly burst: number;
}

export function fullBucket(rate: BucketRate, now: number): TokenBucket {
  return { tokens: rate.burst, at: now };
}

export function refill(bucket: TokenBucket, rate: BucketRate, now: number): TokenBucket {
  const elapsedMs = Math.max(0, now - bucket.at);
  const tokens = Math.min(rate.burst, bucket.tokens + (elapsedMs / 1000) * rate.perSecond);
  return { tokens, at: Math.max(now, bucket.at) };
}

/** Milliseconds until something may be taken: 0 when the bucket is not in debt. */
export function waitMs(bucket: TokenBucket, rate: BucketRate, now: number): number {
  const { tokens } = refill(bucket, rate, now);
  return tokens > 0 ? 0 : Math.max(1, Math.ceil(((1 - tokens) / rate.perSecond) * 1000));
}

/** Takes `count` tokens, into debt if need be. Ask `waitMs` first. */
export function take(bucket: TokenBucket, rate: BucketRate, options: { now: number; count: number }): TokenBucket {
  const filled = refill(bucket, rate, options.now);
  return { tokens: filled.tokens - options.count, at: filled.at };
}
