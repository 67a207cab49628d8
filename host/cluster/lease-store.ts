/** Where a lease is kept, and compared and swapped by its version. */

import type { LeaseObject, LeaseRecord } from './lease-record.ts';

export interface StoredLease {
  readonly record: LeaseRecord;
  readonly object: LeaseObject;
}

/** Both may be given up by the signal; a write that was may have been done all the same. */
export interface LeaseStore {
  /** Null when there is none. Rejects when the store cannot be asked, or refuses. */
  read(signal: AbortSignal): Promise<StoredLease | null>;
  /** Null when it is no longer as it was in `before`, or (`before` null) when there is one by now. Rejects like `read`. */
  write(record: LeaseRecord, before: StoredLease | null, signal: AbortSignal): Promise<StoredLease | null>;
}
