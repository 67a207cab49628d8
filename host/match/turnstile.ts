/** Lets `slots` in at a time, the others wait in order. Bounded: past `maxWaiting` nobody may wait. */

import { HostError } from '../base/errors.ts';

interface Waiter {
  enter(): void;
  refuse(error: Error): void;
}

export class Turnstile {
  readonly #maxWaiting: number;
  readonly #waiting: Waiter[] = [];
  #free: number;
  #isClosed = false;

  constructor(slots: number, maxWaiting: number) {
    this.#free = slots;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs `work` when it is its turn. Rejects with HOST_ERR_MATCH when too many wait, with HOST_ERR_STOPPING after `close`. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Refuses those who wait and those who come. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(stopping());
  }

  #enter(): Promise<void> {
    if (this.#isClosed) return Promise.reject(stopping());
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      const message = `the matcher pool is busy: ${this.#maxWaiting} tasks wait already; raise settings.matcher.threads`;
      return Promise.reject(new HostError('HOST_ERR_MATCH', message));
    }
    return new Promise((resolve, reject) => this.#waiting.push({ enter: resolve, refuse: reject }));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next.enter();
  }
}

function stopping(): HostError {
  return new HostError('HOST_ERR_STOPPING', 'the matcher pool is stopping; the frame was not judged');
}
