/**
 * Keeps the connection to the cluster in step with where it comes from: a kubelet renews the token of a service account about once
 * an hour, an authority is rotated, a log-in command says something new. What was found once stays in use while nothing newer can be
 * read. One reading at a time, however many ask.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { Emitter, type Subscribable } from '../base/emitter.ts';
import type { ConnectionReader, ConnectionSearch } from './connection.ts';
import type { ClusterEvents } from './events.ts';

export interface ConnectionWatchOptions {
  readonly reader: ConnectionReader;
  readonly clock: Clock;
  /** Where it says what it has to say. */
  readonly events?: Emitter<ClusterEvents>;
}

/** Files are small and local: a renewed token is in use long before the old one expires. */
const EVERY_MS = 10_000;
const MAX_RESTS = 5;
/** Between two readings that somebody asked for: a log-in command may be costly, and a plugin may ask without end. */
const RENEW_EVERY_MS = 5_000;

export class ConnectionWatch {
  readonly #options: ConnectionWatchOptions;
  readonly #events: Emitter<ClusterEvents>;
  #search: ConnectionSearch;
  #timer: Timer;
  #reading: Promise<void> | null = null;
  #isReadable = true;
  /** Readings in a row that found nothing, and how many turns are left out for it. */
  #failures = 0;
  #rests = 0;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /** Resolves when the first reading is done, whatever it found. */
  static async open(options: ConnectionWatchOptions): Promise<ConnectionWatch> {
    return new ConnectionWatch(options, await options.reader.read());
  }

  private constructor(options: ConnectionWatchOptions, search: ConnectionSearch) {
    this.#options = options;
    this.#events = options.events ?? new Emitter();
    this.#search = search;
    this.#timer = options.clock.every(EVERY_MS, () => this.#look());
  }

  get events(): Subscribable<ClusterEvents> {
    return this.#events;
  }

  get connection(): KubernetesConnection | null {
    return this.#search.kind === 'found' ? this.#search.connection : null;
  }

  /** Why there is none; null when there is one. */
  get problem(): string | null {
    return this.#search.kind === 'none' ? this.#search.reason : null;
  }

  /** Reads now, asking a log-in command again. Resolves with the connection in use. */
  async renew(): Promise<KubernetesConnection | null> {
    const { clock } = this.#options;
    await this.#reading;
    if (clock.now() - this.#renewedAt >= RENEW_EVERY_MS) {
      this.#renewedAt = clock.now();
      await this.#read({ anew: true });
    } else await this.#reading;
    return this.connection;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer.cancel();
  }

  /** Ever later while nothing is found: a log-in command that fails may ask a person each time. */
  #look(): void {
    if (this.#rests > 0) this.#rests -= 1;
    else void this.#read({ anew: false });
  }

  #read(how: { readonly anew: boolean }): Promise<void> {
    this.#reading ??= this.#options.reader.read(how).then((search) => {
      this.#reading = null;
      if (!this.#isClosed) this.#take(search);
    });
    return this.#reading;
  }

  #take(search: ConnectionSearch): void {
    const before = this.connection;
    this.#failures = search.kind === 'none' ? this.#failures + 1 : 0;
    this.#rests = Math.min(this.#failures, MAX_RESTS);
    if (search.kind === 'none') {
      if (before === null) this.#search = search;
      else if (this.#isReadable) this.#events.emit('connection:unreadable', { reason: search.reason });
      this.#isReadable = before === null;
      return;
    }
    this.#isReadable = true;
    this.#search = search;
    const { connection, origin } = search;
    const changed = differences(before, connection);
    if (changed.length > 0) this.#events.emit('connection:changed', { server: connection.server, origin, changed });
  }
}

function differences(before: KubernetesConnection | null, after: KubernetesConnection): string[] {
  if (before === null) return ['server'];
  const keys = Object.keys(after) as (keyof KubernetesConnection)[];
  return keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}
