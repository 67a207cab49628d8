/** When a watch last heard the API server, and whether that is too long ago. Pure: times are milliseconds of one monotonic clock. */

import { describeScope, type Scope } from './resource.ts';

/** Longer than a watch lives (60 s): one that is in order is heard at its end at the latest. */
export const STALE_AFTER_MS = 90_000;

export class Freshness {
  readonly scope: Scope;
  #heardAt: number;
  #isDenied = false;
  /** What went wrong last; empty when nothing did. */
  #problem = '';

  /** One that was never heard is as old as it is. */
  constructor(scope: Scope, nowMs: number) {
    this.scope = scope;
    this.#heardAt = nowMs;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  get isDenied(): boolean {
    return this.#isDenied;
  }

  get problem(): string {
    return this.#problem;
  }

  heard(nowMs: number): void {
    this.#heardAt = nowMs;
  }

  established(): void {
    this.#problem = '';
    this.#isDenied = false;
  }

  failed(problem: string, isDenied: boolean): void {
    this.#problem = problem;
    this.#isDenied = isDenied;
  }
}

/** An API server that has just started knows no roles yet, and denies what it will allow in a moment. */
export const DENIAL_BELIEVED_AFTER_MS = 10_000;

/**
 * Why the source as a whole is stale, or null. A watch that is not allowed is not stale: it is told as an error, and what may be read
 * goes on. One that is allowed and not heard is. `isFull`: khook itself takes no events, so nothing is read.
 */
export function staleness(
  watches: readonly Freshness[],
  { now, isFull }: { now: number; isFull: boolean },
): string | null {
  const denied = watches.filter(({ isDenied, heardAt }) => isDenied && now - heardAt > DENIAL_BELIEVED_AFTER_MS);
  if (denied[0] !== undefined && denied.length === watches.length) return `nothing may be read: ${denied[0].problem}`;
  const late = watches.filter(({ isDenied, heardAt }) => !isDenied && now - heardAt > STALE_AFTER_MS);
  const [oldest] = late.toSorted((a, b) => a.heardAt - b.heardAt);
  if (oldest === undefined) return null;
  const others = late.length === 1 ? '' : `, and of ${late.length - 1} more`;
  const cause = isFull ? 'khook itself takes no events at the moment' : oldest.problem || 'the connection is silent';
  const seconds = Math.round((now - oldest.heardAt) / 1_000);
  return `nothing was heard of ${describeScope(oldest.scope)}${others} for ${seconds} s: ${cause}`;
}

/** Of the watch of each resource that was heard longest ago; those that are not allowed left out. */
export function oldestContacts(watches: readonly Freshness[]): Map<string, number> {
  const oldest = new Map<string, number>();
  for (const { scope, heardAt, isDenied } of watches) {
    const { name } = scope.resource;
    if (!isDenied) oldest.set(name, Math.min(oldest.get(name) ?? heardAt, heardAt));
  }
  return oldest;
}
