/**
 * What is news. Pure but for the memory of what was reported already.
 *
 * Older than fifteen minutes is no news when a source is first listed: it happened before khook's time, or khook has told it. From then
 * on the age counts from the moment up to which everything is known, not from now: what happens while the watch is cut is news,
 * however long that takes. So only the occurrences of the last minutes need to be remembered, not the objects they were seen on.
 */

import type { Occurrence } from './finding.ts';

export const STALE_AFTER_MS = 15 * 60_000;

interface Known {
  readonly at: number;
  readonly count: number;
}

export class Occurrences {
  readonly #limit: number;
  readonly #known = new Map<string, Known>();
  /** Unix milliseconds by the API server's clock: everything that happened before is known. */
  #upToDateAt = Number.NEGATIVE_INFINITY;

  /** `limit`: past it the oldest is forgotten, and may be reported again by a relist. The host knows it by when it happened. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  /** The first list begins: what happened long before it is nobody's news. Later lists change nothing by beginning. */
  begin(nowMs: number): void {
    if (this.#upToDateAt === Number.NEGATIVE_INFINITY) this.#upToDateAt = nowMs;
  }

  /** Everything up to `atMs` was read. Never goes back. */
  caughtUp(atMs: number): void {
    this.#upToDateAt = Math.max(this.#upToDateAt, atMs);
  }

  /** `news` is remembered by being asked about. */
  judge({ key, at, count }: Pick<Occurrence, 'key' | 'at' | 'count'>): 'news' | 'stale' | 'known' {
    const known = this.#known.get(key);
    if (at !== null && this.#isStale(at)) return 'stale';
    if (known !== undefined && count <= known.count && (at ?? 0) <= known.at) return 'known';
    // Deleted first, so that the map stays ordered by the last report.
    this.#known.delete(key);
    this.#known.set(key, { at: Math.max(at ?? 0, known?.at ?? 0), count: Math.max(count, known?.count ?? 0) });
    this.#forget();
    return 'news';
  }

  #isStale(at: number): boolean {
    return at < this.#upToDateAt - STALE_AFTER_MS;
  }

  /** What is stale is never news again, so it need not be remembered. */
  #forget(): void {
    for (const [key, { at }] of this.#known) {
      if (this.#known.size <= this.#limit && (at === 0 || !this.#isStale(at))) return;
      this.#known.delete(key);
    }
  }
}
