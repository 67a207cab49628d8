/** The moments that the off-heap policy looks back on: close together for the last seconds, far apart for the last minutes. */

import { type Blame, judgeOffHeap, type Moment } from './off-heap-policy.ts';

const FINE_EVERY_MS = 200;
const FINE_MS = 3_000;
const COARSE_EVERY_MS = 15_000;
const COARSE_MS = 600_000;

export class OffHeapWatch {
  #fine: Moment[] = [];
  #coarse: Moment[] = [];

  /** True when the last moment is so long ago that another one is wanted. */
  isDue(now: number): boolean {
    const last = this.#fine.at(-1);
    return last === undefined || now - last.at >= FINE_EVERY_MS;
  }

  judge(present: Moment): Blame | null {
    const oldest = this.#fine[0]?.at ?? present.at;
    const blame = judgeOffHeap([...this.#coarse.filter(({ at }) => at < oldest), ...this.#fine], present);
    const last = this.#coarse.at(-1);
    if (last === undefined || present.at - last.at >= COARSE_EVERY_MS) this.#coarse.push(present);
    this.#fine.push(present);
    this.#fine = this.#fine.filter(({ at }) => present.at - at <= FINE_MS);
    this.#coarse = this.#coarse.filter(({ at }) => present.at - at <= COARSE_MS);
    return blame;
  }

  /** A thread came or went, and with it memory that the host keeps or gives back in its own time. */
  forget(): void {
    this.#fine = [];
    this.#coarse = [];
  }
}
