import type { LeaseObject, LeaseRecord } from '../../host/cluster/lease-record.ts';
import type { LeaseStore, StoredLease } from '../../host/cluster/lease-store.ts';

/** How the way to the store is, for one candidate. `lost-answer`: what was asked is done, and nobody hears of it. */
export type Way = 'open' | 'refused' | 'silent' | 'lost-answer';

/** One lease that several candidates share, compared and swapped by its version as the API server does. */
export class MemoryLease {
  #stored: StoredLease | null = null;
  #version = 0;
  reads = 0;
  writes = 0;

  get record(): LeaseRecord | null {
    return this.#stored?.record ?? null;
  }

  /** By hand: past every rule. */
  edit(record: LeaseRecord | null): void {
    this.#version += 1;
    this.#stored = record === null ? null : stored(record, this.#version);
  }

  read(): StoredLease | null {
    this.reads += 1;
    return this.#stored;
  }

  write(record: LeaseRecord, before: StoredLease | null): StoredLease | null {
    this.writes += 1;
    if (before?.object.metadata.resourceVersion !== this.#stored?.object.metadata.resourceVersion) return null;
    this.edit(record);
    return this.#stored;
  }
}

/** The way of one candidate to the lease. */
export class LeaseWay implements LeaseStore {
  readonly #lease: MemoryLease;
  way: Way = 'open';

  constructor(lease: MemoryLease) {
    this.#lease = lease;
  }

  read(): Promise<StoredLease | null> {
    return this.#go(() => this.#lease.read());
  }

  write(record: LeaseRecord, before: StoredLease | null): Promise<StoredLease | null> {
    return this.#go(() => this.#lease.write(record, before));
  }

  async #go<T>(action: () => T): Promise<T> {
    if (this.way === 'refused') throw new Error('connection refused');
    const isSilent = this.way !== 'open';
    const result = this.way === 'silent' ? null : action();
    // Never answers and does not listen to its signal either.
    return isSilent ? new Promise<T>(() => undefined) : (result as T);
  }
}

function stored(record: LeaseRecord, version: number): StoredLease {
  const metadata = { name: 'khook', namespace: 'kagent', resourceVersion: String(version) };
  const object: LeaseObject = { metadata };
  return { record, object };
}
