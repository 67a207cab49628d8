/** When things happened, on one scale: windows are measured by the monotonic clock of the host, which only tells times of its own run apart. */

import type { EventRead } from './recording-line.ts';

export class Timeline {
  /** Wall time less monotonic time, at the first event of the run; null: no event of it was seen yet. */
  #offset: number | null = null;

  /** A run of the host begins: its monotonic clock has nothing to do with the one before. */
  begin(): void {
    this.#offset = null;
  }

  /** Unix milliseconds as they would be if nobody had set the clock meanwhile. */
  at({ elapsedMs, judgedAt, receivedAt }: Pick<EventRead, 'elapsedMs' | 'judgedAt' | 'receivedAt'>): number {
    const wall = judgedAt ?? receivedAt;
    if (elapsedMs === undefined) return wall;
    this.#offset ??= wall - elapsedMs;
    return elapsedMs + this.#offset;
  }
}
