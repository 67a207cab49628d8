/** Growing delays as pure functions. Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */

export interface BackoffPolicy {
  /** Delay ceiling of the first retry. */
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
}

/** Ceiling of the delay before retry `attempt` (1 = first retry). */
export function backoffCeilingMs(policy: BackoffPolicy, attempt: number): number {
  const grown = policy.initialMs * policy.factor ** Math.max(0, attempt - 1);
  return Math.min(policy.maxMs, Number.isFinite(grown) ? grown : policy.maxMs);
}

/** `random` in [0, 1). The delay lies in [ceiling/2, ceiling): never zero, so that a retry storm cannot form. */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: number): number {
  const ceiling = backoffCeilingMs(policy, attempt);
  return Math.round(ceiling / 2 + (random * ceiling) / 2);
}
