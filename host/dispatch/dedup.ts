/**
 * The dedup window: one firing per key and window, counted from the last firing, not from duplicates. Asking and recording
 * are one step, so two frames can never both be first. The window runs on monotonic time; wall time only stands in records.
 *
 * What counts is when an event happened, not when it came: a source that starts anew tells again what it has told already, and
 * that must not fire a second time only because the window is over by now.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { Firing } from '../match/verdict.ts';

export type DedupSubject = Pick<Firing, 'dedupKey' | 'hook' | 'eventType' | 'resourceName'>;

/** Names one claim of a key: only its owner can give the key back. */
export type Claim = number;

export type ClaimVerdict =
  | { readonly kind: 'first'; readonly claim: Claim }
  /** `until`: wall milliseconds, for people. */
  | { readonly kind: 'duplicate'; readonly until: number };

/** One key as it is shown and saved; times in wall milliseconds. */
export interface DedupRecord extends DedupSubject {
  /** When it last fired. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly duplicates: number;
}

export interface ActiveEvent extends DedupRecord {
  /** `resolved` when a whole window has passed without it. */
  readonly status: 'firing' | 'resolved';
}

export interface DedupOptions {
  readonly windowMs: number;
  /** The key that fired longest ago gives way. */
  readonly maxKeys: number;
  readonly clock: Clock;
  /** Told of every key that is no longer known, for a store that mirrors the window. */
  readonly onForgotten?: (dedupKey: string) => void;
}

interface Entry {
  readonly claim: Claim;
  readonly subject: DedupSubject;
  /** Monotonic. */
  readonly firedAt: number;
  seenAt: number;
  /** Wall. */
  readonly firstSeen: number;
  lastSeen: number;
  duplicates: number;
}

/** An event stays on show this many windows after it fired: one as firing, up to one more by duplicates, one as resolved. */
const SHOWN_WINDOWS = 3;
/** How long after its window a key is known still: for events that are told again so much later. */
const RETOLD_MS = 20 * 60_000;

/** Milliseconds for which something that fired at `firedAt` still silences its key; 0 = it may fire. */
export function silencedForMs(firedAt: number, now: number, windowMs: number): number {
  return Math.max(0, firedAt + windowMs - now);
}

/** How long after it fired a key must be known: on show, and for events that are told again. */
export function knownForMs(windowMs: number): number {
  return Math.max(SHOWN_WINDOWS * windowMs, windowMs + RETOLD_MS);
}

export class DedupWindow {
  readonly #options: DedupOptions;
  /** In order of firing: the first is the oldest, which makes both the sweep and the bound cheap. */
  readonly #entries = new Map<string, Entry>();
  readonly #keysOfHook = new Map<string, Set<string>>();
  #nextClaim: Claim = 1;

  constructor(options: DedupOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `ageMs`: how long ago the event happened. */
  claim(subject: DedupSubject, ageMs = 0): ClaimVerdict {
    const now = this.#options.clock.now();
    const wall = this.#options.clock.wall();
    this.#sweep(now);
    const known = this.#entries.get(subject.dedupKey);
    if (known !== undefined) {
      const { windowMs } = this.#options;
      if (silencedForMs(known.firedAt, now - Math.max(0, ageMs), windowMs) > 0) {
        known.seenAt = now;
        known.lastSeen = wall;
        known.duplicates += 1;
        return { kind: 'duplicate', until: wall + silencedForMs(known.firedAt, now, windowMs) };
      }
      this.#remove(subject.dedupKey);
    }
    const entry = this.#entry(subject, { firedAt: now, seenAt: now, firstSeen: wall, lastSeen: wall, duplicates: 0 });
    this.#add(entry);
    return { kind: 'first', claim: entry.claim };
  }

  /** After a delivery failed for good: the key may fire again at once, unless somebody else has claimed it meanwhile. */
  giveBack(dedupKey: string, claim: Claim): boolean {
    if (this.#entries.get(dedupKey)?.claim !== claim) return false;
    this.#remove(dedupKey);
    return true;
  }

  /** Wall milliseconds, for people: when the key may fire again; null: at once. */
  silentUntil(dedupKey: string): number | null {
    const remaining = this.remainingMs(dedupKey) ?? 0;
    return remaining > 0 ? this.#options.clock.wall() + remaining : null;
  }

  /** Whether a firing of this key would be a duplicate now. */
  isSilenced(dedupKey: string): boolean {
    return (this.remainingMs(dedupKey) ?? 0) > 0;
  }

  /** Milliseconds of its window that are left, below 0 when it is over; null for a key that is not known. */
  remainingMs(dedupKey: string): number | null {
    const { clock, windowMs } = this.#options;
    const known = this.#entries.get(dedupKey);
    return known === undefined ? null : known.firedAt + windowMs - clock.now();
  }

  claimOf(dedupKey: string): Claim | null {
    return this.#entries.get(dedupKey)?.claim ?? null;
  }

  /** What a Hook's status shows, oldest firing first. */
  activeEvents(hook: string): readonly ActiveEvent[] {
    const now = this.#options.clock.now();
    this.#sweep(now);
    const active: ActiveEvent[] = [];
    for (const key of this.#keysOfHook.get(hook) ?? []) {
      const entry = this.#entries.get(key);
      if (entry === undefined || now >= entry.firedAt + SHOWN_WINDOWS * this.#options.windowMs) continue;
      const isFiring = silencedForMs(entry.seenAt, now, this.#options.windowMs) > 0;
      active.push({ ...record(entry), status: isFiring ? 'firing' : 'resolved' });
    }
    return active;
  }

  /** For a store that outlives the process; `restore` takes it back. */
  snapshot(): readonly DedupRecord[] {
    this.#sweep(this.#options.clock.now());
    return [...this.#entries.values()].map(record);
  }

  /** Takes back records of an earlier life. A key that was claimed since then stays as it is; a wall clock that ran backwards cannot lengthen a window. */
  restore(records: readonly DedupRecord[]): void {
    const now = this.#options.clock.now();
    const wall = this.#options.clock.wall();
    for (const { firstSeen, lastSeen, duplicates, ...subject } of records.toSorted(
      (a, b) => a.firstSeen - b.firstSeen,
    )) {
      const firedAt = now - Math.max(0, wall - firstSeen);
      if (this.#entries.has(subject.dedupKey)) continue;
      if (this.#isForgotten(firedAt, now)) {
        this.#options.onForgotten?.(subject.dedupKey);
        continue;
      }
      const seenAt = now - Math.max(0, wall - lastSeen);
      this.#add(this.#entry(subject, { firedAt, seenAt, firstSeen, lastSeen, duplicates }));
    }
  }

  #entry(subject: DedupSubject, times: Omit<Entry, 'claim' | 'subject'>): Entry {
    const claim = this.#nextClaim;
    this.#nextClaim += 1;
    const { dedupKey, hook, eventType, resourceName } = subject;
    return { claim, subject: { dedupKey, hook, eventType, resourceName }, ...times };
  }

  #add(entry: Entry): void {
    const { dedupKey, hook } = entry.subject;
    if (this.#entries.size >= this.#options.maxKeys) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#remove(oldest.value);
    }
    this.#entries.set(dedupKey, entry);
    const keys = this.#keysOfHook.get(hook);
    if (keys === undefined) this.#keysOfHook.set(hook, new Set([dedupKey]));
    else keys.add(dedupKey);
  }

  #remove(dedupKey: string): void {
    const entry = this.#entries.get(dedupKey);
    if (entry === undefined) return;
    this.#entries.delete(dedupKey);
    const keys = this.#keysOfHook.get(entry.subject.hook);
    keys?.delete(dedupKey);
    if (keys?.size === 0) this.#keysOfHook.delete(entry.subject.hook);
    this.#options.onForgotten?.(dedupKey);
  }

  #sweep(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (!this.#isForgotten(entry.firedAt, now)) return;
      this.#remove(key);
    }
  }

  #isForgotten(firedAt: number, now: number): boolean {
    return now >= firedAt + knownForMs(this.#options.windowMs);
  }
}

function record(entry: Entry): DedupRecord {
  const { firstSeen, lastSeen, duplicates } = entry;
  return { ...entry.subject, firstSeen, lastSeen, duplicates };
}
