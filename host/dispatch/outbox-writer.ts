/**
 * Who writes to the file of the outbox. All writes of one turn of the loop share one transaction. A fault of the storage never
 * rejects a write while khook runs: the write waits, which leaves frames unacknowledged and so holds the sources back, and is tried
 * again with a growing delay.
 *
 * closed ─open()─▶ open ─a commit fails─▶ faulty ─a try succeeds─▶ open         closed: before open() and after close().
 *    └────────────────────────────────────▲  └─ each try: the same file again or, where that cannot help, the file opened anew.
 *
 * A file that turns out to be damaged while khook holds in memory what stands in it is set aside, and a new one takes its place: there is
 * nothing that only a person could decide. At the start it is a person's affair, since nobody else knows what was in it.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { type BackoffPolicy, backoffMs } from '../base/backoff.ts';
import { Emitter } from '../base/emitter.ts';
import { HostError } from '../base/errors.ts';
import type { Forgotten } from './dead-letter-table.ts';
import type { OutboxEvents } from './events.ts';
import type { OutboxFile, Write } from './outbox-file.ts';
import { setAside } from './set-aside.ts';
import { needsReopening, openingFault, type StorageFault, storageFault } from './storage-fault.ts';

export interface OutboxWriterOptions {
  readonly path: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Throws when the file cannot be used. */
  readonly openFile: (lockTimeoutMs: number) => OutboxFile;
  /** Whether what stands in the file is also held in memory. */
  readonly isKnown: () => boolean;
  /** These stand in the file now; told before those who wait for them. */
  readonly onWritten: (writes: readonly Write[]) => void;
  /** Dead letters were forgotten with them. */
  readonly onForgotten: (forgotten: Forgotten) => void;
}

type Condition =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly file: OutboxFile }
  | {
      readonly kind: 'faulty';
      /** Null: to be opened anew. */
      readonly file: OutboxFile | null;
      readonly fault: StorageFault;
      /** Monotonic. */
      readonly since: number;
      readonly attempt: number;
      readonly timer: Timer;
    };

interface Pending {
  readonly writes: readonly Write[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const RETRY: BackoffPolicy = { initialMs: 100, maxMs: 5_000, factor: 2 };
/** A predecessor may still be on its way out. */
const LOCK_TIMEOUT_MS = 1_000;
/** Files set aside in one life: a disk that damages each of them is a person's affair. */
const MAX_SET_ASIDE = 3;

export class OutboxWriter {
  readonly events = new Emitter<OutboxEvents>();
  readonly #options: OutboxWriterOptions;
  #condition: Condition = { kind: 'closed' };
  /** Bounded by those who wait: the credit of the plugins, and the slots of the agents' lanes. */
  #queue: Pending[] = [];
  #isScheduled = false;
  #isReleased = false;
  #setAside = 0;

  constructor(options: OutboxWriterOptions) {
    this.#options = options;
  }

  get file(): OutboxFile | null {
    return this.#condition.kind === 'closed' ? null : this.#condition.file;
  }

  get fault(): StorageFault | null {
    return this.#condition.kind === 'faulty' ? this.#condition.fault : null;
  }

  /** Throws HOST_ERR_DATA_IN_USE; any other fault is waited out. */
  open(): void {
    try {
      this.#become({ kind: 'open', file: this.#options.openFile(LOCK_TIMEOUT_MS) });
    } catch (error) {
      const fault = openingFault(error, this.#place);
      if (fault.kind === 'in-use') throw new HostError('HOST_ERR_DATA_IN_USE', fault.message, { cause: error });
      this.#suffer(fault, null);
    }
  }

  /** Resolves when they stand in the file. Rejects with HOST_ERR_STOPPING, or with a fault of khook itself. */
  write(writes: readonly Write[]): Promise<void> {
    if (this.#condition.kind === 'closed' || (this.#isReleased && this.#condition.kind === 'faulty'))
      return Promise.reject(this.stopping());
    return new Promise((resolve, reject) => {
      this.#queue.push({ writes, resolve, reject });
      if (this.#isScheduled || this.#condition.kind !== 'open') return;
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        if (this.#condition.kind === 'open') this.#work();
      });
    });
  }

  /** Somebody could not read the file. If it is damaged that is a fault as if it had been found by a write. */
  report(error: unknown): void {
    const fault = storageFault(error, this.#place);
    if (this.#condition.kind === 'open' && fault?.kind === 'damaged') this.#suffer(fault, this.#condition.file);
  }

  /** From now on no write waits for a fault to pass. */
  release(): void {
    this.#isReleased = true;
    if (this.#condition.kind === 'faulty') this.#turnAway();
  }

  /** Writes what still can be written. */
  close(): void {
    this.release();
    if (this.#condition.kind === 'open' && this.#queue.length > 0) this.#work();
    const { file } = this;
    this.#become({ kind: 'closed' });
    this.#turnAway();
    if (file !== null) abandon(file);
  }

  stopping(): HostError {
    const why = this.fault === null ? '' : ` ${this.fault.message}`;
    return new HostError('HOST_ERR_STOPPING', `khook stops, and this could not be written to its outbox.${why}`);
  }

  get #place(): { readonly path: string; readonly isKnown: boolean } {
    return { path: this.#options.path, isKnown: this.#options.isKnown() };
  }

  /** One transaction for all that waits; after a fault, one try. */
  #work(): void {
    const condition = this.#condition;
    if (condition.kind === 'closed') return;
    const file = condition.file ?? this.#reopen();
    if (file === null) return;
    try {
      if (this.#queue.length > 0) this.#commit(file);
    } catch (error) {
      const fault = storageFault(error, this.#place);
      if (fault === null) throw error;
      this.#suffer(fault, file);
      return;
    }
    if (condition.kind !== 'faulty') return;
    const { path, clock } = this.#options;
    this.#become({ kind: 'open', file });
    this.events.emit('outbox:recovered', { path, forMs: clock.now() - condition.since });
  }

  #reopen(): OutboxFile | null {
    try {
      return this.#options.openFile(0);
    } catch (error) {
      const fault = openingFault(error, this.#place);
      this.#suffer(fault, null);
      if (fault.kind === 'damaged' && this.#options.isKnown()) this.#replace();
      return null;
    }
  }

  /** The next try makes a new file. What cannot be moved stays where it is, and the fault with it. */
  #replace(): void {
    if (this.#setAside >= MAX_SET_ASIDE) return;
    const { path, clock } = this.#options;
    const to = setAside(path, clock.wall());
    if (to === null) return;
    this.#setAside += 1;
    this.events.emit('outbox:set-aside', { path, to });
  }

  /** Throws faults of the storage alone, and then what could not be written still waits. */
  #commit(file: OutboxFile): void {
    try {
      this.#options.onForgotten(file.commit(this.#queue.flatMap(({ writes }) => writes)));
      for (const pending of this.#queue.splice(0)) this.#written(pending);
    } catch (error) {
      if (storageFault(error, this.#place) !== null) throw error;
      this.#commitEach(file);
    }
  }

  /** One of them is at fault, and must not take the others with it. */
  #commitEach(file: OutboxFile): void {
    for (let pending = this.#queue[0]; pending !== undefined; pending = this.#queue[0]) {
      try {
        this.#options.onForgotten(file.commit(pending.writes));
        this.#written(pending);
      } catch (error) {
        if (storageFault(error, this.#place) !== null) throw error;
        pending.reject(error);
      }
      this.#queue.shift();
    }
  }

  #written({ writes, resolve }: Pending): void {
    this.#options.onWritten(writes);
    resolve();
  }

  #suffer(fault: StorageFault, file: OutboxFile | null): void {
    const { clock, random } = this.#options;
    const before = this.#condition.kind === 'faulty' ? this.#condition : null;
    const isKept = file !== null && !needsReopening(fault.kind);
    if (file !== null && !isKept) abandon(file);
    const attempt = (before?.attempt ?? 0) + 1;
    this.#become({
      kind: 'faulty',
      file: isKept ? file : null,
      fault,
      since: before?.since ?? clock.now(),
      attempt,
      timer: clock.after(backoffMs(RETRY, attempt, random()), () => this.#work()),
    });
    if (before?.fault.kind !== fault.kind) this.events.emit('outbox:fault', fault);
    if (this.#isReleased) this.#turnAway();
  }

  #become(condition: Condition): void {
    if (this.#condition.kind === 'faulty') this.#condition.timer.cancel();
    this.#condition = condition;
  }

  /** Whoever waits is told that khook stops. */
  #turnAway(): void {
    for (const { reject } of this.#queue.splice(0)) reject(this.stopping());
  }
}

/** What a close cannot write to the file itself stands in its log: nothing that was committed depends on it. */
function abandon(file: OutboxFile): void {
  try {
    file.close();
  } catch {
    // There is nothing more to be done with it.
  }
}
