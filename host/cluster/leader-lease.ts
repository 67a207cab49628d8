/**
 * The election of the one khook that acts, by a lease that candidates compare and swap. At any moment at most one believes that it
 * leads: a leader that cannot renew stops by its own clock before anybody else may take the lease.
 *
 *   idle ─start─▶ following ─took it─▶ leading ─taken · not renewed in time─▶ lost
 *                     └──────────────────┴─release─▶ released
 *
 * - following {observation}: looks at the lease about every `retryMs`, and soon after it expires. Takes it when it is nobody's, its own
 *   from an earlier life, or has not changed for as long as its holder promised.
 * - leading {lease, until}: renews every `retryMs`. `until` moves with each renewal that succeeded, counted from before it was asked for.
 *   `isLeader` compares it with the clock, so that it is right also when the process was frozen and no timer ran.
 * - lost: for good. What an old term left in memory must not reach the next one, so whoever wants to lead again starts anew.
 * - released: for good. The lease is given back if it may be held, also when nobody knows whether the last request was carried out.
 *
 * One request at a time. An answer that comes when the state is no longer what it was when the request was sent is dropped.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { Emitter, type Subscribable } from '../base/emitter.ts';
import type { Leadership } from './leadership.ts';
import type { LeaseEvents } from './lease-events.ts';
import {
  heldRecord,
  judgeLease,
  LEASE_TIMING,
  type LeaseTiming,
  leadsUntil,
  lookAgainMs,
  type Observation,
  observe,
  renewAgainMs,
  timingFault,
} from './lease-policy.ts';
import type { LeaseRecord } from './lease-record.ts';
import { releaseLease } from './lease-release.ts';
import type { LeaseStore, StoredLease } from './lease-store.ts';
import { TimedLeaseStore } from './timed-lease-store.ts';

export interface LeaderLeaseOptions {
  readonly store: LeaseStore;
  /**
   * Of one process at a time. One that is the same after a restart gets its lease back at once, and must then be sure that its
   * earlier life is over: the lock on the data folder says so.
   */
  readonly identity: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly timing?: LeaseTiming;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'following'; readonly observation: Observation | null }
  | { readonly kind: 'leading'; readonly lease: StoredLease; readonly until: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'released' };

type Leading = Extract<State, { kind: 'leading' }>;
type Following = Extract<State, { kind: 'following' }>;

interface Fault {
  readonly message: string;
  readonly since: number;
}

/** A write that succeeded, and the moment before it was sent. */
interface Written {
  readonly lease: StoredLease;
  readonly sentAt: number;
}

export class LeaderLease implements Leadership {
  readonly #options: LeaderLeaseOptions;
  readonly #timing: LeaseTiming;
  readonly #events = new Emitter<LeaseEvents>();
  #state: State = { kind: 'idle' };
  /** The next look or renewal. */
  #turn: Timer | null = null;
  /** When the time of a leader is up. */
  #deadline: Timer | null = null;
  readonly #store: TimedLeaseStore;
  /** Of the turn that is under way. */
  #underWay: Promise<void> = Promise.resolve();
  /** A write was sent, and nothing read since says that the lease is somebody else's. */
  #mayHold = false;
  #fault: Fault | null = null;
  #holder = '';

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
    this.#timing = options.timing ?? LEASE_TIMING;
    const fault = timingFault(this.#timing);
    if (fault !== null) throw new RangeError(fault);
    this.#store = this.#timedStore();
  }

  get events(): Subscribable<LeaseEvents> {
    return this.#events;
  }

  get isLeader(): boolean {
    return this.#state.kind === 'leading' && this.#options.clock.now() < this.#state.until;
  }

  /** Who leads as far as this candidate knows; empty: nobody. */
  get holder(): string {
    return this.#holder;
  }

  start(): void {
    if (this.#state.kind !== 'idle') return;
    this.#transition({ kind: 'following', observation: null });
    this.#next(0);
  }

  /** To be called when nothing is fired any more: from then on another may lead. Never rejects; ends within two attempts. */
  async release(): Promise<void> {
    if (this.#state.kind === 'released') return;
    this.#transition({ kind: 'released' });
    const stopping = new Error('khook is stopping');
    this.#store.giveUp(stopping);
    await this.#underWay;
    if (!this.#mayHold) return;
    const { identity, clock } = this.#options;
    const store = this.#timedStore();
    const timer = clock.after(2 * this.#timing.attemptMs, () => store.giveUp(stopping));
    try {
      if (await releaseLease({ store, identity, clock })) this.#events.emit('lease:released', { identity });
    } catch (error) {
      this.#tellFault(error, false);
    } finally {
      timer.cancel();
    }
  }

  #transition(next: State): void {
    this.#turn?.cancel();
    this.#deadline?.cancel();
    this.#state = next;
    if (next.kind !== 'leading') return;
    this.#holder = next.lease.record.holder;
    this.#deadline = this.#options.clock.after(next.until - this.#options.clock.now(), () => this.#expire(next));
  }

  #next(ms: number): void {
    this.#turn = this.#options.clock.after(ms, () => {
      this.#underWay = this.#take();
    });
  }

  /** One look or one renewal. Never rejects. */
  async #take(): Promise<void> {
    const state = this.#state;
    if (state.kind !== 'following' && state.kind !== 'leading') return;
    try {
      await (state.kind === 'leading' ? this.#renew(state) : this.#look(state));
      if (this.#isOver) return;
      this.#tellRecovered();
    } catch (error) {
      if (this.#isOver) return;
      this.#tellFault(error, this.#state.kind === 'leading');
      const { random } = this.#options;
      this.#next(
        this.#state.kind === 'leading' ? renewAgainMs(this.#timing, random()) : lookAgainMs(this.#timing, random()),
      );
    }
  }

  async #look(state: Following): Promise<void> {
    const stored = await this.#store.read();
    if (this.#state !== state) return;
    const { identity, clock, random } = this.#options;
    const observation = observe(state.observation, stored?.record ?? null, clock.now());
    this.#transition({ kind: 'following', observation });
    const verdict = judgeLease(observation, { identity, timing: this.#timing, now: clock.now() });
    if (verdict.kind === 'wait') {
      this.#follow(verdict.holder);
      const again = lookAgainMs(this.#timing, random());
      this.#next(Math.min(again, Math.ceil(verdict.forMs) + renewAgainMs(this.#timing, random())));
      return;
    }
    const seen = this.#state;
    const written = await this.#hold(stored, observation?.record ?? null);
    if (this.#state !== seen) return;
    // Somebody was quicker, or it took so long that it is too late to act on it: look again.
    if (written === null || clock.now() >= leadsUntil(written.sentAt, this.#timing)) this.#next(this.#soon());
    else this.#lead(written, { from: verdict.from, before: observation?.record.holder ?? '' });
  }

  #lead(written: Written, { from, before }: Pick<LeaseEvents['leadership:acquired'], 'from' | 'before'>): void {
    this.#prolong(written);
    const { holder: identity, transitions: term } = written.lease.record;
    this.#events.emit('leadership:acquired', { identity, from, before, term });
  }

  #prolong({ lease, sentAt }: Written): void {
    this.#transition({ kind: 'leading', lease, until: leadsUntil(sentAt, this.#timing) });
    const { clock } = this.#options;
    this.#next(Math.max(0, sentAt + this.#timing.retryMs - clock.now()));
  }

  async #renew(state: Leading): Promise<void> {
    let written = await this.#hold(state.lease, state.lease.record);
    if (this.#state !== state) return;
    if (written === null) {
      // A renewal that was given up may have been carried out, or the lease was edited, deleted or taken.
      const stored = await this.#store.read();
      if (this.#state !== state) return;
      const holder = stored?.record.holder ?? this.#options.identity;
      if (holder !== this.#options.identity) {
        this.#mayHold = false;
        this.#lose(`the lease was ${holder === '' ? 'taken away' : `taken by ${holder}`}`);
        return;
      }
      written = await this.#hold(stored, stored?.record ?? state.lease.record);
      if (this.#state !== state) return;
    }
    if (written === null) throw new Error('the lease changes faster than it can be renewed');
    this.#prolong(written);
  }

  /** The timer may come late; a renewal that came in time has set another one. */
  #expire(state: Leading): void {
    if (this.#state !== state) return;
    const seconds = this.#timing.renewDeadlineMs / 1_000;
    this.#lose(
      `the lease could not be renewed for ${seconds} s${this.#fault === null ? '' : `: ${this.#fault.message}`}`,
    );
  }

  #lose(why: string): void {
    this.#transition({ kind: 'lost' });
    this.#store.giveUp(new Error(why));
    this.#holder = '';
    this.#events.emit('leadership:lost', { why });
  }

  /** Null when it was changed meanwhile. `before`: what the record follows, where nothing is stored any more. */
  async #hold(stored: StoredLease | null, before: LeaseRecord | null): Promise<Written | null> {
    const { identity, clock } = this.#options;
    const sentAt = clock.now();
    const record = heldRecord(before, { identity, timing: this.#timing, wall: clock.wall() });
    this.#mayHold = true;
    const lease = await this.#store.write(record, stored);
    return lease === null ? null : { lease, sentAt };
  }

  #timedStore(): TimedLeaseStore {
    const { store, clock } = this.#options;
    return new TimedLeaseStore({ store, clock, attemptMs: this.#timing.attemptMs });
  }

  get #isOver(): boolean {
    return this.#state.kind === 'lost' || this.#state.kind === 'released';
  }

  #soon(): number {
    return renewAgainMs(this.#timing, this.#options.random());
  }

  #follow(holder: string): void {
    this.#mayHold = false;
    if (this.#holder === holder) return;
    this.#holder = holder;
    this.#events.emit('lease:holder', { holder });
  }

  #tellFault(error: unknown, isLeading: boolean): void {
    const message = messageOf(error);
    const isTold = this.#fault?.message === message;
    this.#fault = { message, since: this.#fault?.since ?? this.#options.clock.now() };
    if (!isTold) this.#events.emit('lease:fault', { code: codeOf(error), message, isLeading });
  }

  #tellRecovered(): void {
    if (this.#fault === null) return;
    const forMs = this.#options.clock.now() - this.#fault.since;
    this.#fault = null;
    this.#events.emit('lease:recovered', { forMs });
  }
}
