// Runs in the plugin's thread.
/** The sockets that a plugin has open: so many and no more, whether it opened or accepted them. */

import { lock } from './lock.ts';
import { type AnyFunction, apply, SafeWeakSet } from './primordials.ts';
import type { Refusals } from './refusal.ts';
import type { UseCount } from './use-count.ts';

const EMFILE = -24;

export class Sockets {
  readonly #limit: number;
  readonly #refusals: Refusals;
  readonly #uses: UseCount;
  readonly #open = new SafeWeakSet<object>();
  #count = 0;

  constructor(limit: number, refusals: Refusals, uses: UseCount) {
    this.#limit = limit;
    this.#refusals = refusals;
    this.#uses = uses;
  }

  /** 0, or EMFILE. A socket counts once. */
  open(handle: object): number {
    if (this.#open.has(handle)) return 0;
    if (this.#count >= this.#limit) {
      this.#refusals.report('one more socket', `limits.sockets is ${this.#limit}`);
      return EMFILE;
    }
    this.#open.add(handle);
    this.#counted(1);
    return 0;
  }

  close(handle: object): void {
    if (this.#open.delete(handle)) this.#counted(-1);
  }

  /** What a listening handle accepts counts too; one too many is closed unseen. */
  countAccepted(listener: { onconnection: unknown }): void {
    const accept = listener.onconnection as AnyFunction;
    const open = (client: object): number => this.open(client);
    lock(listener, 'onconnection', function (this: object, status: number, client?: { close(): void }) {
      if (client !== undefined && open(client) !== 0) {
        client.close();
        return undefined;
      }
      return apply(accept, this, [status, client]);
    });
  }

  #counted(change: 1 | -1): void {
    this.#count += change;
    this.#uses.set('sockets', this.#count);
  }
}
