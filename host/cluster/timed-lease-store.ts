/** A lease store of which each request ends in time, and which can be given up: the wait ends also when the store does not listen to its signal. */

import type { Clock } from '../../ipc/clock.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { LeaseStore, StoredLease } from './lease-store.ts';

export interface TimedLeaseStoreOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly attemptMs: number;
}

export class TimedLeaseStore {
  readonly #options: TimedLeaseStoreOptions;
  readonly #end = new AbortController();

  constructor(options: TimedLeaseStoreOptions) {
    this.#options = options;
  }

  read(): Promise<StoredLease | null> {
    return this.#ask((signal) => this.#options.store.read(signal));
  }

  write(record: LeaseRecord, before: StoredLease | null): Promise<StoredLease | null> {
    return this.#ask((signal) => this.#options.store.write(record, before, signal));
  }

  /** What is under way, and whatever is asked later, fails with `reason`. */
  giveUp(reason: Error): void {
    this.#end.abort(reason);
  }

  async #ask<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, attemptMs } = this.#options;
    const all = this.#end.signal;
    all.throwIfAborted();
    const attempt = new AbortController();
    const over = Promise.withResolvers<never>();
    const end = (reason: unknown): void => {
      attempt.abort(reason);
      over.reject(reason);
    };
    const onGivenUp = (): void => end(all.reason);
    const timer = clock.after(attemptMs, () => end(new Error(`no answer within ${attemptMs / 1_000} s`)));
    all.addEventListener('abort', onGivenUp, { once: true });
    try {
      return await Promise.race([call(attempt.signal), over.promise]);
    } finally {
      timer.cancel();
      all.removeEventListener('abort', onGivenUp);
    }
  }
}
