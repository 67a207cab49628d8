/** Threads that were told to end and do not: in a blocking system call nothing inside the process can end them. They are counted, and past a budget the host asks for a process without them. */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { seconds } from './verdict.ts';

/** So long may a thread take to end; long native calls do, and are no zombies yet. */
export const ZOMBIE_AFTER_MS = 2_000;
export const ZOMBIE_BUDGET = 3;

export interface Departed {
  readonly plugin: string;
  readonly generation: number;
}

export interface ZombiesOptions {
  readonly clock: Clock;
  readonly onTooManyZombies?: (why: string) => void;
}

export class Zombies {
  readonly #options: ZombiesOptions;
  readonly #waiting = new Set<Timer>();
  readonly #unended = new Set<Departed>();
  readonly #zombies = new Map<Departed, number>();
  #isReported = false;

  constructor(options: ZombiesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#zombies.size;
  }

  of(plugin: string): number {
    return [...this.#zombies.keys()].filter((departed) => departed.plugin === plugin).length;
  }

  /** Zombies, and those that may still end. */
  get unended(): number {
    return this.#unended.size;
  }

  awaitEnd(departed: Departed, gone: Promise<unknown>): void {
    const { clock } = this.#options;
    const since = clock.now();
    const timer = clock.after(ZOMBIE_AFTER_MS, () => {
      this.#waiting.delete(timer);
      this.#zombies.set(departed, since);
      this.#report();
    });
    this.#waiting.add(timer);
    this.#unended.add(departed);
    const end = (): void => {
      timer.cancel();
      this.#waiting.delete(timer);
      this.#zombies.delete(departed);
      this.#unended.delete(departed);
    };
    gone.then(end, end);
  }

  /** Nobody is told any more. */
  forget(): void {
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
  }

  #report(): void {
    if (this.#isReported || this.#zombies.size <= ZOMBIE_BUDGET) return;
    this.#isReported = true;
    const now = this.#options.clock.now();
    const names = [...this.#zombies].map(
      ([{ plugin, generation }, since]) => `plugin ${plugin} generation ${generation} for ${seconds(now - since)}`,
    );
    this.#options.onTooManyZombies?.(`${names.length} threads that were ended are still there: ${names.join(', ')}`);
  }
}
