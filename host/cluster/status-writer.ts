/**
 * Writes what became of Hooks into their status, and nothing when nothing changed. Whoever has news says so and does not wait; what comes within
 * the gap of a Hook goes out together. Only the leader writes. Of each Hook:
 *
 *  idle ─news─▶ waiting(timer) ─due─▶ queued ─budget─▶ writing ─done─▶ idle, or waiting again for what came meanwhile
 *                  ▲                                    │
 *                  └────────────── back-off ────────────┘   a conflict is read anew and written at once, a few times
 *
 * A Hook that is gone is forgotten wherever it is.
 */

import { type Clock, delay, type Timer } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Emitter } from '../base/emitter.ts';
import type { HookStatus } from '../config/hook-status.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { ClusterEvents } from './events.ts';
import { hookTarget } from './hook-informer.ts';
import { readHookStatus } from './hook-status-reading.ts';
import type { HookObject, StoredHook } from './hook-store.ts';
import type { Refusals } from './refusal.ts';
import { isPruned, isSameStatus, statusPatch } from './status-merge.ts';
import { WriteQueue } from './write-queue.ts';
import { moreUrgent, type Urgency, writeDueAt } from './write-schedule.ts';

export interface StatusWriterOptions {
  readonly client: Pick<ApiClient, 'json'>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly refusals: Refusals;
  readonly events: Emitter<ClusterEvents>;
  readonly find: (hook: string) => StoredHook | undefined;
  /** What its status should be now. */
  readonly desired: (stored: StoredHook) => HookStatus;
  /** The Hook as the API server has it after a request. */
  readonly onAnswer: (object: HookObject) => void;
  readonly mayWrite: () => boolean;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly urgency: Urgency; readonly dueAt: number; readonly timer: Timer }
  | { readonly kind: 'queued'; readonly urgency: Urgency }
  /** `more`: what came since it was put together. */
  | { readonly kind: 'writing'; readonly more: Urgency | null };

interface HookWrites {
  readonly hook: string;
  state: State;
  writtenAt: number | null;
  failures: number;
  /** What was sent last. The API server may keep less of it, which is no reason to send it again. */
  sent: { readonly uid: string; readonly status: HookStatus } | null;
  events: number;
  /** Those who wait for what has happened so far to stand in the status. */
  readonly waiting: Set<() => void>;
  /** Ends their patience. */
  patience: Timer | null;
}

const MAX_CONFLICTS = 3;
/** News of one turn goes out together, also when it is written at once. */
const LINGER_MS = 5;
const BACKOFF = { initialMs: 1_000, maxMs: 60_000, factor: 2 };
/** A rule that is missing is not there a moment later, unless the API server has just started. */
const FORBIDDEN_BACKOFF = { initialMs: 1_000, maxMs: 300_000, factor: 2 };
/** After a refusal of the status itself: the next one will be of something else. */
const INVALID_MS = 300_000;
/** All attempts that are hurried are made within this time. */
const HURRY_MS = 1_000;
/** Nobody waits longer for a status to be written. */
const RECORD_WAIT_MS = 5_000;

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #hooks = new Map<string, HookWrites>();
  readonly #queue: WriteQueue<HookWrites>;
  readonly #closing = new AbortController();
  #isPrunedSaid = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#queue = new WriteQueue({ clock: options.clock, run: (writes) => this.#write(writes) });
  }

  /** There is news of this Hook. */
  note(hook: string, urgency: Urgency): void {
    const { mayWrite, find } = this.#options;
    if (this.#closing.signal.aborted || !mayWrite() || find(hook) === undefined) return;
    const writes = this.#of(hook);
    const { state } = writes;
    if (state.kind === 'writing') this.#transition(writes, { kind: 'writing', more: moreUrgent(state.more, urgency) });
    else if (state.kind === 'queued') this.#enqueue(writes, moreUrgent(state.urgency, urgency));
    else if (state.kind === 'idle' || writes.failures === 0) this.#wait(writes, urgency);
  }

  /**
   * Resolves when what has been noted of the Hook so far stands in its status, or when that cannot be had: it fails, takes too long, or
   * the Hook is gone. Never rejects.
   */
  async recorded(hook: string): Promise<void> {
    const writes = this.#hooks.get(hook);
    // A server that does not answer must not hold up what does not need it.
    if (writes === undefined || writes.state.kind === 'idle' || writes.failures > 0) return;
    writes.patience ??= this.#options.clock.after(RECORD_WAIT_MS, () => release(writes));
    await new Promise<void>((resolve) => writes.waiting.add(resolve));
  }

  /** The API server is there again: what waits for its next attempt need not wait so long. */
  hurry(): void {
    const { random } = this.#options;
    for (const writes of this.#hooks.values())
      if (writes.failures > 0) this.#wait(writes, 'changed', random() * HURRY_MS);
  }

  forget(hook: string): void {
    const writes = this.#hooks.get(hook);
    if (writes === undefined) return;
    if (writes.state.kind === 'waiting') writes.state.timer.cancel();
    this.#queue.remove(writes);
    this.#hooks.delete(hook);
    release(writes);
  }

  /** Writes at once what waits, each once, for as long as `limitMs`; then nothing more. */
  async close(limitMs: number): Promise<void> {
    for (const writes of this.#hooks.values()) if (writes.state.kind === 'waiting') this.#enqueue(writes, 'fired');
    const late = new AbortController();
    const limit = delay(this.#options.clock, limitMs, late.signal).catch(() => undefined);
    const done = Promise.all(
      [...this.#hooks.values()]
        .filter(({ state }) => state.kind !== 'idle')
        .map((writes) => new Promise<void>((resolve) => writes.waiting.add(resolve))),
    );
    await Promise.race([done, limit]);
    late.abort();
    this.#closing.abort();
    for (const hook of [...this.#hooks.keys()]) this.forget(hook);
  }

  #of(hook: string): HookWrites {
    let writes = this.#hooks.get(hook);
    if (writes === undefined) {
      const nothing = { state: { kind: 'idle' } as const, writtenAt: null, failures: 0, sent: null, events: 0 };
      writes = { hook, ...nothing, waiting: new Set(), patience: null };
      this.#hooks.set(hook, writes);
    }
    return writes;
  }

  /** The earlier of two times counts. `ms`: default by the schedule. */
  #wait(writes: HookWrites, urgency: Urgency, ms = this.#dueInMs(writes, urgency)): void {
    const { clock } = this.#options;
    const { state } = writes;
    if (state.kind === 'queued' || state.kind === 'writing') return;
    const dueAt = clock.now() + ms;
    if (state.kind === 'waiting' && state.dueAt <= dueAt) {
      this.#transition(writes, { ...state, urgency: moreUrgent(state.urgency, urgency) });
      return;
    }
    if (state.kind === 'waiting') state.timer.cancel();
    const timer = clock.after(ms, () => this.#due(writes));
    const most = state.kind === 'waiting' ? moreUrgent(state.urgency, urgency) : urgency;
    this.#transition(writes, { kind: 'waiting', urgency: most, dueAt, timer });
  }

  #dueInMs(writes: HookWrites, urgency: Urgency): number {
    const now = this.#options.clock.now();
    return Math.max(LINGER_MS, writeDueAt(writes, urgency, now) - now);
  }

  /** Whatever would change nothing takes no place in the queue: all Hooks are noted when the configuration is read anew. */
  #due(writes: HookWrites): void {
    const { state } = writes;
    if (state.kind !== 'waiting') return;
    const stored = this.#options.find(writes.hook);
    if (stored !== undefined && this.#change(writes, stored) !== null) this.#enqueue(writes, state.urgency);
    else this.#settle(writes);
  }

  /** Null: its status is what it should be. */
  #change(writes: HookWrites, stored: StoredHook): HookStatus | null {
    const status = this.#options.desired(stored);
    const last = writes.sent?.uid === stored.uid ? writes.sent.status : stored.status;
    return isSameStatus(status, last) ? null : status;
  }

  #enqueue(writes: HookWrites, urgency: Urgency): void {
    if (writes.state.kind === 'waiting') writes.state.timer.cancel();
    this.#transition(writes, { kind: 'queued', urgency });
    this.#queue.add(writes, urgency === 'fired');
  }

  /** Never rejects. */
  async #write(writes: HookWrites): Promise<void> {
    this.#transition(writes, { kind: 'writing', more: null });
    const before = [...writes.waiting];
    try {
      await this.#send(writes);
      writes.failures = 0;
      this.#settle(writes);
    } catch (error) {
      this.#failed(writes, error);
    }
    release(writes, before);
  }

  async #send(writes: HookWrites): Promise<void> {
    const { find, mayWrite, clock, client, events, refusals, onAnswer } = this.#options;
    for (let conflicts = 0; ; conflicts += 1) {
      const stored = find(writes.hook);
      if (stored === undefined || !mayWrite()) return;
      const status = this.#change(writes, stored);
      if (status === null) return;
      const target = { ...hookTarget(stored.namespace, stored.name), subresource: 'status' };
      try {
        const body = statusPatch(status, stored, clock.wall());
        const answer = await client.json<HookObject>({ verb: 'patch', target, body, signal: this.#closing.signal });
        writes.sent = { uid: stored.uid, status };
        writes.writtenAt = clock.now();
        writes.events = status.activeEvents?.length ?? 0;
        refusals.lift('patch', target);
        if (answer.metadata?.uid === stored.uid) onAnswer(answer);
        this.#judgeAnswer(writes.hook, status, readHookStatus(answer.status));
        events.emit('status:written', { hook: writes.hook });
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || !error.isConflict || conflicts >= MAX_CONFLICTS) throw error;
        const { namespace, name } = stored;
        const fresh = await client.json<HookObject>({ verb: 'get', target: hookTarget(namespace, name) });
        if (fresh.metadata?.uid !== stored.uid) return;
        onAnswer(fresh);
      }
    }
  }

  #settle(writes: HookWrites): void {
    const { state } = writes;
    const more = state.kind === 'writing' ? state.more : null;
    this.#transition(writes, { kind: 'idle' });
    if (more !== null && this.#hooks.get(writes.hook) === writes) this.#wait(writes, more);
    else release(writes);
  }

  #failed(writes: HookWrites, error: unknown): void {
    const { events, random, refusals } = this.#options;
    this.#transition(writes, { kind: 'idle' });
    if (this.#closing.signal.aborted || this.#hooks.get(writes.hook) !== writes) return;
    if (error instanceof ApiError && error.isNotFound) {
      // The watch tells of it too, or of another one of that name.
      this.forget(writes.hook);
      return;
    }
    writes.failures += 1;
    release(writes);
    const isInvalid = error instanceof ApiError && error.isInvalid;
    const isForbidden = error instanceof ApiError && error.isForbidden;
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const own = backoffMs(isForbidden ? FORBIDDEN_BACKOFF : BACKOFF, writes.failures, random());
    const retryInMs = isInvalid ? INVALID_MS : Math.max(asked, own);
    if (isForbidden) refusals.note(error);
    else events.emit('status:error', { hook: writes.hook, message: messageOf(error), retryInMs });
    this.#wait(writes, 'changed', retryInMs);
  }

  #judgeAnswer(hook: string, sent: HookStatus, kept: HookStatus): void {
    if (this.#isPrunedSaid || !isPruned(sent, kept)) return;
    this.#isPrunedSaid = true;
    this.#options.events.emit('status:pruned', { hook });
  }

  /** The one place where the state of a Hook's writes changes. */
  #transition(writes: HookWrites, state: State): void {
    writes.state = state;
  }
}

/** `those`: default all. */
function release(writes: HookWrites, those: Iterable<() => void> = [...writes.waiting]): void {
  for (const resolve of those) if (writes.waiting.delete(resolve)) resolve();
  if (writes.waiting.size > 0) return;
  writes.patience?.cancel();
  writes.patience = null;
}
