// Runs in the plugin's thread.
/** So many at once; the others wait their turn, in order. What waits lies in the plugin's own memory. */

import { type AnyFunction, apply, newPromise, promiseThen, SafeMap } from './primordials.ts';

export class Turns {
  readonly #limit: number;
  /** A map, not an array: a setter planted on Array.prototype must not see what is stored. */
  readonly #waiting = new SafeMap<number, () => void>();
  #first = 0;
  #next = 0;
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The next one would run at once. */
  get isFree(): boolean {
    return this.#running < this.#limit;
  }

  /** Runs `start` now or later; it is given what ends its turn, which counts once. */
  take(start: (end: () => void) => void): void {
    if (this.isFree) {
      this.#begin(start);
      return;
    }
    this.#waiting.set(this.#next, () => this.#begin(start));
    this.#next += 1;
  }

  /** A function with a callback as its last argument, run in turn. What it throws at once is thrown when it runs at once. */
  callback(original: AnyFunction, self: unknown, args: unknown[]): unknown {
    const last = args.length - 1;
    const given = args[last];
    if (typeof given !== 'function') return apply(original, self as object, args);
    let result: unknown;
    let isLate = false;
    this.take((end) => {
      args[last] = function (this: unknown, ...results: unknown[]): unknown {
        end();
        return apply(given as AnyFunction, this as object, results);
      };
      try {
        result = apply(original, self as object, args);
      } catch (error) {
        end();
        if (!isLate) throw error;
        apply(given as AnyFunction, undefined, [error]);
      }
    });
    isLate = true;
    return result;
  }

  /** A function that returns a promise, run in turn. */
  promise(run: () => unknown): Promise<unknown> {
    return newPromise((resolve, reject) => {
      this.take((end) => {
        const settle = (give: (value: unknown) => void) => (value: unknown) => {
          end();
          give(value);
        };
        try {
          void promiseThen(run() as Promise<unknown>, settle(resolve), settle(reject));
        } catch (error) {
          settle(reject)(error);
        }
      });
    });
  }

  #begin(start: (end: () => void) => void): void {
    this.#running += 1;
    let isOver = false;
    start(() => {
      if (isOver) return;
      isOver = true;
      this.#running -= 1;
      this.#follow();
    });
  }

  #follow(): void {
    if (this.#first === this.#next || this.#running >= this.#limit) return;
    const start = this.#waiting.get(this.#first) as () => void;
    this.#waiting.delete(this.#first);
    this.#first += 1;
    start();
  }
}
