/** Whether a watch stands, or has not been missing for long. Pure: times are arguments, in milliseconds of one monotonic scale. */

export const UNHEALTHY_AFTER_MS = 2 * 60_000;

export class WatchHealth {
  /** Since when there has been no watch; null while there is one. */
  #missingSince: number | null;

  constructor(nowMs: number) {
    this.#missingSince = nowMs;
  }

  established(): void {
    this.#missingSince = null;
  }

  lost(nowMs: number): void {
    this.#missingSince ??= nowMs;
  }

  isHealthy(nowMs: number): boolean {
    return this.#missingSince === null || nowMs - this.#missingSince < UNHEALTHY_AFTER_MS;
  }
}
