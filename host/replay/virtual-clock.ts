/** Time as a recording has it: it stands still until it is moved, and what was due on the way is done in its order. */

import type { Clock, Timer } from '../../ipc/clock.ts';

interface Pending {
  readonly at: number;
  readonly action: () => void;
}

/** Both times are Unix milliseconds; they differ where the host's wall clock was set. */
export class VirtualClock implements Clock {
  /** By time; what was asked for first comes first. */
  readonly #pending: Pending[] = [];
  #now = 0;
  /** Wall time less monotonic time. */
  #offset = 0;

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#offset;
  }

  /** It is this time now, as the host's wall clock had it. */
  setWall(time: number): void {
    this.#offset = time - this.#now;
  }

  cpu(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): Timer {
    const pending = { at: this.#now + Math.max(0, ms), action };
    this.#pending.splice(this.#placeOf(pending.at), 0, pending);
    return {
      cancel: () => {
        const place = this.#pending.indexOf(pending);
        if (place >= 0) this.#pending.splice(place, 1);
      },
    };
  }

  every(ms: number, action: () => void): Timer {
    const again = (): Timer =>
      this.after(ms, () => {
        timer = again();
        action();
      });
    let timer = again();
    return { cancel: () => timer.cancel() };
  }

  /** Never backwards. Whatever follows from what was due has happened when this resolves, unless it takes a thread or a file. */
  async advanceTo(time: number): Promise<void> {
    for (let next = this.#due(time); next !== null; next = this.#due(time)) {
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await turn();
    }
    this.#now = Math.max(this.#now, time);
  }

  #due(time: number): Pending | null {
    const [first] = this.#pending;
    if (first === undefined || first.at > time) return null;
    this.#pending.shift();
    return first;
  }

  /** Behind all that are due no later. */
  #placeOf(at: number): number {
    let low = 0;
    let high = this.#pending.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pending[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Every chain of promises has run to its end by then. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
