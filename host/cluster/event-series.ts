/**
 * What repeats is one Event whose count is raised, and what differs only in its message becomes one Event for all when there is much of it: of each
 * Hook and reason the first few messages of a window have an Event of their own, the rest share one. Pure: no clock, no requests.
 */

import type { EventWords } from './event-words.ts';

/** What an Event is about. */
export interface Regarding {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface SeriesEvent {
  readonly regarding: Regarding;
  readonly words: EventWords;
  /** Name of the Event that stands in the cluster; null: none does yet. */
  name: string | null;
  /** As it stands there, or will when `unwritten` is written too. */
  count: number;
  /** Wall milliseconds. */
  readonly firstAt: number;
  lastAt: number;
  /** Of the count: not written yet. */
  unwritten: number;
  /** Monotonic: when it was last written. */
  writtenAt: number | null;
}

interface Group {
  /** Monotonic. */
  startedAt: number;
  singles: number;
}

export interface SeriesTimes {
  readonly now: number;
  readonly wall: number;
}

const MAX_SINGLES = 5;
const WINDOW_MS = 600_000;
const MAX_SERIES = 4_096;
export const COMBINED = '(combined from similar events): ';

export class EventSeries {
  /** The one that was used longest ago is first. */
  readonly #series = new Map<string, SeriesEvent>();
  readonly #groups = new Map<string, Group>();

  get size(): number {
    return this.#series.size;
  }

  /** Counts one more, and returns the Event that stands for it. */
  note(regarding: Regarding, words: EventWords, { now, wall }: SeriesTimes): SeriesEvent {
    const groupKey = `${regarding.uid} ${words.reason}`;
    const own = this.#recent(`${groupKey} ${words.message}`, now);
    const event = own ?? this.#begin(groupKey, { regarding, words }, { now, wall });
    event.count += 1;
    event.unwritten += 1;
    event.lastAt = wall;
    return event;
  }

  #begin(
    groupKey: string,
    { regarding, words }: { readonly regarding: Regarding; readonly words: EventWords },
    { now, wall }: SeriesTimes,
  ): SeriesEvent {
    const group = this.#group(groupKey, now);
    const isSingle = group.singles < MAX_SINGLES;
    const key = isSingle ? `${groupKey} ${words.message}` : `${groupKey} ${COMBINED}`;
    const known = isSingle ? null : this.#recent(key, now);
    if (known !== null) return known;
    if (isSingle) group.singles += 1;
    const said = isSingle ? words : { ...words, message: `${COMBINED}${words.message}`.slice(0, 1_024) };
    const times = { firstAt: wall, lastAt: wall, writtenAt: null };
    const event: SeriesEvent = { regarding, words: said, name: null, count: 0, unwritten: 0, ...times };
    this.#series.set(key, event);
    this.#bound(this.#series, MAX_SERIES);
    return event;
  }

  /** Moved to the end; one that was written long ago may be gone from the cluster, and is begun anew. */
  #recent(key: string, now: number): SeriesEvent | null {
    const event = this.#series.get(key);
    if (event === undefined) return null;
    this.#series.delete(key);
    if (event.writtenAt !== null && now - event.writtenAt > WINDOW_MS) return null;
    this.#series.set(key, event);
    return event;
  }

  #group(key: string, now: number): Group {
    let group = this.#groups.get(key);
    if (group === undefined || now - group.startedAt > WINDOW_MS) {
      this.#groups.delete(key);
      group = { startedAt: now, singles: 0 };
      this.#groups.set(key, group);
      this.#bound(this.#groups, MAX_SERIES);
    }
    return group;
  }

  #bound(map: Map<string, unknown>, limit: number): void {
    if (map.size <= limit) return;
    const oldest = map.keys().next();
    if (oldest.done !== true) map.delete(oldest.value);
  }
}
