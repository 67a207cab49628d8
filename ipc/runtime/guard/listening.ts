// Runs in the plugin's thread.
/** Which of the granted ports the plugin listens on now. */

import { MAX_LISTENING } from '../../uses.ts';
import { SafeMap, SafeWeakMap } from './primordials.ts';
import type { UseCount } from './use-count.ts';

export class Listening {
  readonly #uses: UseCount;
  readonly #bits = new SafeMap<number, number>();
  readonly #open = new SafeWeakMap<object, number>();

  constructor(ports: readonly number[], uses: UseCount) {
    this.#uses = uses;
    for (let bit = 0; bit < ports.length && bit < MAX_LISTENING; bit += 1) this.#bits.set(ports[bit] as number, bit);
  }

  begin(handle: object, port: number): void {
    const bit = this.#bits.get(port);
    if (bit === undefined) return;
    this.#open.set(handle, bit);
    this.#uses.bit('listening', bit, true);
  }

  end(handle: object): void {
    const bit = this.#open.get(handle);
    if (bit === undefined) return;
    this.#open.delete(handle);
    this.#uses.bit('listening', bit, false);
  }
}
