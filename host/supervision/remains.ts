/**
 * What earlier runs of one plugin left behind: threads that were ended and sit in native code or in a system call. Its next start
 * waits for them, or one plugin alone would fill the host with threads that nothing can end.
 */

import type { Clock } from '../../ipc/clock.ts';
import { within } from '../base/within.ts';

/** For each of them. Long native calls are over by then; what is not will hardly ever be. */
export const PATIENCE_MS = 30_000;

export interface RemainsOptions {
  readonly clock: Clock;
  /** So many are still there, and are waited for. */
  readonly onWait: (count: number) => void;
}

export class Remains {
  readonly #options: RemainsOptions;
  readonly #left = new Set<Promise<unknown>>();

  constructor(options: RemainsOptions) {
    this.#options = options;
  }

  /** `gone` resolves when nothing of that run is there any more. */
  add(gone: Promise<unknown>): void {
    this.#left.add(gone);
    const end = (): void => void this.#left.delete(gone);
    gone.then(end, end);
  }

  /** Resolves when all of them are gone, or when that takes too long. */
  async cleared(): Promise<void> {
    const { clock, onWait } = this.#options;
    const count = this.#left.size;
    if (count === 0) return;
    onWait(count);
    await within(clock, Promise.allSettled(this.#left), PATIENCE_MS * count);
  }
}
