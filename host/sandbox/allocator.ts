/**
 * What threads that are gone had outside their heaps is free, but glibc gives back only what lies at the end of its arenas: a host that
 * recycles much would keep hundreds of megabytes. Node has no word for that, the C library has. Elsewhere nothing happens.
 */

import { dlopen } from 'node:ffi';
import type { Clock, Timer } from '../../ipc/clock.ts';

/** Blocks whoever allocates meanwhile: some ten milliseconds for each hundred megabytes that are free. */
const EVERY_MS = 10_000;

type Trim = () => void;

export class Allocator implements Disposable {
  readonly #clock: Clock;
  readonly #trim: Trim;
  #trimmedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;

  constructor({ clock, trim = findTrim() }: { readonly clock: Clock; readonly trim?: Trim }) {
    this.#clock = clock;
    this.#trim = trim;
  }

  /** Something large may have been freed. */
  giveBack(): void {
    const waitMs = this.#trimmedAt + EVERY_MS - this.#clock.now();
    this.#timer ??= this.#clock.after(Math.max(0, waitMs), () => {
      this.#timer = null;
      this.#trimmedAt = this.#clock.now();
      this.#trim();
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}

function findTrim(): Trim {
  try {
    const { functions } = dlopen(null, { malloc_trim: { arguments: ['u64'], return: 'i32' } });
    return () => void functions.malloc_trim(0n);
  } catch {
    return () => undefined;
  }
}
