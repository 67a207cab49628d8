/** Firings on their way into the outbox, by dedup key: whoever repeats one of them has to wait until it stands. */

import { codeOf } from '../../ipc/errors.ts';
import type { Delivery } from './delivery.ts';

export class PendingWrites {
  readonly #writes = new Map<string, Promise<void>>();

  add(deliveries: readonly Delivery[], write: Promise<void>): void {
    for (const { firing } of deliveries) this.#writes.set(firing.dedupKey, write);
    const forget = (): void => {
      for (const { firing } of deliveries)
        if (this.#writes.get(firing.dedupKey) === write) this.#writes.delete(firing.dedupKey);
    };
    write.then(forget, forget);
  }

  /** Resolves when all writes that these keys wait for are through: for each key whether its write was given up because khook stops. Rejects with any other error. */
  async givenUp(dedupKeys: readonly string[]): Promise<readonly boolean[]> {
    const writes = dedupKeys.map((key) => this.#writes.get(key));
    const failed = new Set<Promise<void> | undefined>();
    for (const write of new Set(writes)) {
      try {
        await write;
      } catch (error) {
        if (codeOf(error) !== 'HOST_ERR_STOPPING') throw error;
        failed.add(write);
      }
    }
    return writes.map((write) => failed.has(write));
  }

  /** Resolves when none of those that are under way now is. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes.values());
  }
}
