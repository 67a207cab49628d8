/**
 * What has fired, for the status of Hooks: one entry for each dedup key. It is fed by what dispatch says and, when another khook led before, by what
 * that one wrote. An entry is `firing` until a whole window has passed without the event, then `resolved`, and leaves when nobody could tell the
 * event again. Durations run on monotonic time; wall time only stands in records.
 */

import type { Clock } from '../../ipc/clock.ts';
import { MAX_ACTIVE_EVENTS } from '../config/hook-status.ts';
import type { Firing } from '../match/verdict.ts';

/** A firing that dispatch has taken over; a delivery is one. */
export interface TakenFiring {
  readonly firing: Firing;
  readonly messageId: string;
  readonly contextId: string;
  /** Wall. */
  readonly acceptedAt: number;
}

/** Times in wall milliseconds. */
export interface ActiveRecord {
  readonly hook: string;
  readonly dedupKey: string;
  readonly eventType: string;
  readonly resourceName: string;
  readonly namespace: string;
  readonly source: string;
  /** Empty: not known. */
  readonly messageId: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** When an agent took it; null: none has. */
  readonly lastNotified: number | null;
}

export interface ActiveEvent extends ActiveRecord {
  readonly state: 'firing' | 'resolved';
}

export interface ActiveEventsOptions {
  readonly clock: Clock;
  readonly windowMs: number;
  /** How long after it fired an entry is kept. */
  readonly retentionMs: number;
  /** Of all Hooks together; the one that fired longest ago gives way. */
  readonly maxEntries?: number;
}

interface Entry {
  record: ActiveRecord;
  state: 'firing' | 'resolved';
  /** Monotonic. */
  readonly firedAt: number;
  seenAt: number;
}

export class ActiveEvents {
  readonly #options: Required<ActiveEventsOptions>;
  /** In order of firing. */
  readonly #entries = new Map<string, Entry>();
  readonly #keysOfHook = new Map<string, Set<string>>();

  constructor(options: ActiveEventsOptions) {
    this.#options = { maxEntries: 50_000, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Oldest firing first. */
  of(hook: string): readonly ActiveEvent[] {
    const active: ActiveEvent[] = [];
    for (const key of this.#keysOfHook.get(hook) ?? []) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) active.push({ ...entry.record, state: entry.state });
    }
    return active;
  }

  find(dedupKey: string): ActiveEvent | null {
    const entry = this.#entries.get(dedupKey);
    return entry === undefined ? null : { ...entry.record, state: entry.state };
  }

  /** A firing begins, or one of an earlier life goes on. */
  fired({ firing, messageId, acceptedAt }: TakenFiring): void {
    const { dedupKey, hook, eventType, resourceName, namespace, source } = firing;
    const known = this.#entries.get(dedupKey)?.record;
    // Taken up from an earlier life: what is known of it stays.
    if (messageId === known?.messageId && acceptedAt <= known.firstSeen) return;
    const what = { hook, dedupKey, eventType, resourceName, namespace, source, messageId };
    this.#add({ ...what, firstSeen: acceptedAt, lastSeen: acceptedAt, lastNotified: null, state: 'firing' });
  }

  /** The same event again, within its window. False when it is not known. */
  seen(dedupKey: string): boolean {
    const { clock } = this.#options;
    const entry = this.#entries.get(dedupKey);
    if (entry === undefined) return false;
    entry.seenAt = clock.now();
    entry.record = { ...entry.record, lastSeen: clock.wall() };
    entry.state = 'firing';
    return true;
  }

  /** An agent took its message. */
  notified({ firing, messageId }: Pick<TakenFiring, 'firing' | 'messageId'>): boolean {
    return this.#note(firing.dedupKey, messageId, (record) => record.lastNotified ?? this.#options.clock.wall());
  }

  /** It was given up: its key may fire again at once, here and wherever the status is read. */
  failed({ firing, messageId }: Pick<TakenFiring, 'firing' | 'messageId'>): boolean {
    return this.#note(firing.dedupKey, messageId, () => null);
  }

  /** What another khook, or an earlier life of this one, wrote. Of two firings of a key the newer one counts. */
  adopt(events: readonly ActiveEvent[]): void {
    for (const event of events.toSorted((a, b) => a.firstSeen - b.firstSeen)) {
      const known = this.#entries.get(event.dedupKey)?.record;
      if (known === undefined || known.firstSeen < event.firstSeen) this.#add(event);
    }
  }

  /** The Hook is gone. */
  forget(hook: string): void {
    for (const key of this.#keysOfHook.get(hook) ?? []) this.#entries.delete(key);
    this.#keysOfHook.delete(hook);
  }

  /** What was resolved since the last time, and the Hooks of which entries left. */
  sweep(): { readonly resolved: readonly ActiveRecord[]; readonly left: ReadonlySet<string> } {
    const { clock, windowMs, retentionMs } = this.#options;
    const now = clock.now();
    const resolved: ActiveRecord[] = [];
    const left = new Set<string>();
    for (const entry of this.#entries.values()) {
      if (now >= entry.firedAt + retentionMs && now >= entry.seenAt + windowMs) {
        left.add(entry.record.hook);
        this.#remove(entry.record.dedupKey);
      } else if (entry.state === 'firing' && now >= entry.seenAt + windowMs) {
        entry.state = 'resolved';
        resolved.push(entry.record);
      }
    }
    return { resolved, left };
  }

  #note(dedupKey: string, messageId: string, lastNotified: (record: ActiveRecord) => number | null): boolean {
    const entry = this.#entries.get(dedupKey);
    // It may have fired again since, under another message.
    if (entry === undefined || entry.record.messageId !== messageId) return false;
    entry.record = { ...entry.record, lastNotified: lastNotified(entry.record) };
    return true;
  }

  #add({ state, ...record }: ActiveEvent): void {
    const { clock, maxEntries } = this.#options;
    this.#remove(record.dedupKey);
    const [now, wall] = [clock.now(), clock.wall()];
    const firedAt = now - Math.max(0, wall - record.firstSeen);
    const seenAt = now - Math.max(0, wall - record.lastSeen);
    this.#entries.set(record.dedupKey, { record, state, firedAt, seenAt });
    const keys = this.#keysOfHook.get(record.hook) ?? new Set();
    this.#keysOfHook.set(record.hook, keys.add(record.dedupKey));
    if (keys.size > MAX_ACTIVE_EVENTS) this.#makeRoom(keys);
    const [oldest] = this.#entries.size > maxEntries ? this.#entries.keys() : [];
    if (oldest !== undefined) this.#remove(oldest);
  }

  /** What is over gives way to what is not. */
  #makeRoom(keys: ReadonlySet<string>): void {
    let [victim] = keys;
    for (const key of keys) {
      if (this.#entries.get(key)?.state !== 'resolved') continue;
      victim = key;
      break;
    }
    if (victim !== undefined) this.#remove(victim);
  }

  #remove(dedupKey: string): void {
    const entry = this.#entries.get(dedupKey);
    if (entry === undefined) return;
    const { hook } = entry.record;
    this.#entries.delete(dedupKey);
    const keys = this.#keysOfHook.get(hook);
    keys?.delete(dedupKey);
    if (keys?.size === 0) this.#keysOfHook.delete(hook);
  }
}
