/** Firings of another khook of which no agent is known to have them. A firing has one messageId for life, whoever sends it. */

import type { RecordedFiring } from './takeover.ts';

/** An event that fired so long ago is not told again by any source; what fires now is something else. */
const MAX_AGE_MS = 30 * 60_000;

export class UnsentFirings {
  readonly #byKey: Map<string, RecordedFiring>;

  constructor(records: readonly RecordedFiring[]) {
    this.#byKey = new Map(records.map((record) => [record.dedupKey, record]));
  }

  /** The messageId under which the key has fired; once. */
  take(dedupKey: string, wall: number): string | null {
    const record = this.#byKey.get(dedupKey);
    if (record === undefined) return null;
    this.#byKey.delete(dedupKey);
    return wall - record.firstSeen <= MAX_AGE_MS ? record.messageId : null;
  }
}
