/** A bundle is taken once it has stopped growing: two equal stamps some time apart, or nothing in it changed for that long. */

export const SETTLE_MS = 250;

export interface Observation {
  /** What the bundle is known by: the name of its folder. */
  readonly key: string;
  readonly stamp: string;
  /** Wall-clock milliseconds of its latest change. */
  readonly changedAt: number;
}

export interface Instant {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Milliseconds since the Unix epoch. */
  readonly wall: number;
}

interface Sighting {
  readonly stamp: string;
  /** When this stamp was first seen. */
  readonly since: number;
  readonly isSettled: boolean;
}

export class BundleSettling {
  #sightings: ReadonlyMap<string, Sighting> = new Map();

  /** Takes all bundles there are now and answers with the keys of those that have settled. What is not named is forgotten. */
  observe(observations: readonly Observation[], at: Instant): ReadonlySet<string> {
    const sightings = new Map<string, Sighting>();
    for (const observation of observations) {
      sightings.set(observation.key, judge(this.#sightings.get(observation.key), observation, at));
    }
    this.#sightings = sightings;
    return new Set([...sightings].filter(([, sighting]) => sighting.isSettled).map(([key]) => key));
  }

  /** Milliseconds from `now` after which to look again; null when all have settled. */
  waitMs(now: number): number | null {
    const open = [...this.#sightings.values()].filter((sighting) => !sighting.isSettled);
    if (open.length === 0) return null;
    return Math.max(1, Math.min(...open.map((sighting) => sighting.since + SETTLE_MS - now)));
  }
}

function judge(last: Sighting | undefined, seen: Observation, at: Instant): Sighting {
  const isSame = last?.stamp === seen.stamp;
  const since = isSame ? last.since : at.now;
  // An age below zero is another machine's clock (a network file system): not to be trusted, two looks decide.
  const age = at.wall - seen.changedAt;
  const isSettled = (isSame && (last.isSettled || at.now - since >= SETTLE_MS)) || age >= SETTLE_MS;
  return { stamp: seen.stamp, since, isSettled };
}
