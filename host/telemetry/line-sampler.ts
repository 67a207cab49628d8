/**
 * Keeps a repeated line from filling the log: of each kind the first ones are written at once, the rest of the window becomes
 * one line with a count. A flood of any length costs a handful of lines per kind and window.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';

export interface SampledLine {
  /** Written at once. */
  first(): void;
  /** Written at the end of a window in which `count` more happened after the first. */
  summary(count: number, seconds: number): void;
}

export interface SampleOptions {
  /** How many happened. */
  readonly count?: number;
  /** Lines written at once in each window. */
  readonly burst?: number;
}

interface Window {
  written: number;
  unwritten: number;
  latest: SampledLine;
  readonly timer: Timer;
}

export interface SamplerOptions {
  readonly clock: Clock;
  readonly windowMs?: number;
  /** Kinds with an open window; what is beyond shares one. */
  readonly maxKeys?: number;
}

const OTHER = 'other';

export class LineSampler implements Disposable {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #maxKeys: number;
  readonly #windows = new Map<string, Window>();

  constructor(options: SamplerOptions) {
    this.#clock = options.clock;
    this.#windowMs = options.windowMs ?? 10_000;
    this.#maxKeys = options.maxKeys ?? 500;
  }

  note(wanted: string, line: SampledLine, options: SampleOptions = {}): void {
    const { count = 1, burst = 1 } = options;
    const key = this.#windows.has(wanted) || this.#windows.size < this.#maxKeys ? wanted : OTHER;
    let window = this.#windows.get(key);
    if (window === undefined) {
      const timer = this.#clock.every(this.#windowMs, () => this.#turn(key));
      window = { written: 0, unwritten: 0, latest: line, timer };
      this.#windows.set(key, window);
    }
    window.latest = line;
    if (window.written < burst) {
      window.written += 1;
      line.first();
    } else {
      window.unwritten += count;
    }
  }

  /** Writes what is still owed. */
  [Symbol.dispose](): void {
    for (const window of this.#windows.values()) {
      window.timer.cancel();
      this.#summarise(window);
    }
    this.#windows.clear();
  }

  /** A window with anything owed is followed by another; a quiet one ends. */
  #turn(key: string): void {
    const window = this.#windows.get(key);
    if (window === undefined) return;
    if (window.unwritten === 0) {
      window.timer.cancel();
      this.#windows.delete(key);
      return;
    }
    this.#summarise(window);
    // The summary is the first line of the window that follows.
    window.written = 1;
  }

  #summarise(window: Window): void {
    const count = window.unwritten;
    window.unwritten = 0;
    if (count > 0) window.latest.summary(count, Math.round(this.#windowMs / 1000));
  }
}
