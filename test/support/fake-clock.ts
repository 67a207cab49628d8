import type { Clock, Timer } from '../../ipc/clock.ts';

interface Pending {
  at: number;
  everyMs: number | null;
  action: () => void;
}

/**
 * Time that moves only when told to. Monotonic and wall time start at `start` and advance together; the wall clock shows whole
 * milliseconds, as a real one does.
 */
export class FakeClock implements Clock {
  #now: number;
  #wallOffset = 0;
  readonly #pending = new Set<Pending>();

  constructor(start = 1_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return Math.floor(this.#now + this.#wallOffset);
  }

  /** Whatever passes is computed. */
  cpu(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#now + Math.max(0, ms), everyMs: null, action });
  }

  every(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#now + ms, everyMs: ms, action });
  }

  /** Timers that wait; 0 after everything was cancelled. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Moves the wall clock alone, as an operator or NTP does. */
  shiftWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Time passes while nothing runs, as when the machine sleeps: what was due meanwhile is run once, when time goes on. */
  jump(ms: number): void {
    this.#now += ms;
    for (const pending of this.#pending) if (pending.at < this.#now) pending.at = this.#now;
  }

  /** Runs everything due up to `ms` from now in order, letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#pending].filter((p) => p.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = due.at;
      if (due.everyMs === null) this.#pending.delete(due);
      else due.at += due.everyMs;
      due.action();
      await settle();
    }
    this.#now = until;
    await settle();
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }
}

/** Lets promise chains run to their end. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
