/** Which version of each object was last reported. Bounded: past the limit the oldest is forgotten, and a relist may report it again. */

const MAX_KNOWN = 50_000;

export class KnownVersions {
  readonly #versions = new Map<string, string>();
  readonly #limit: number;

  constructor(limit = MAX_KNOWN) {
    this.#limit = limit;
  }

  versionOf(uid: string): string | undefined {
    return this.#versions.get(uid);
  }

  remember(uid: string, resourceVersion: string): void {
    // Deleted first, so that the map stays ordered by the last change.
    this.#versions.delete(uid);
    this.#versions.set(uid, resourceVersion);
    if (this.#versions.size <= this.#limit) return;
    const [oldest] = this.#versions.keys();
    if (oldest !== undefined) this.#versions.delete(oldest);
  }

  forget(uid: string): void {
    this.#versions.delete(uid);
  }

  /** Returns what is forgotten. */
  forgetAllBut(uids: ReadonlySet<string>): string[] {
    const gone = [...this.#versions.keys()].filter((uid) => !uids.has(uid));
    for (const uid of gone) this.#versions.delete(uid);
    return gone;
  }
}
