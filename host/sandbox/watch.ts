/**
 * The watch over one vessel: asks for its vital signs, keeps those of the last seconds, and puts them before the policies. Nothing
 * in here waits: a question is sent, and the answer, if one comes, changes what the next tick sees. Runs on the host thread.
 */

import type { PulseMessage } from '../../ipc/messages.ts';
import { judgeCpu } from './cpu-policy.ts';
import { judgeLoop, silenceMs } from './loop-policy.ts';
import { judgeMemory, type MemoryHistory, NO_MEMORY_HISTORY } from './memory-policy.ts';
import type { Verdict } from './verdict.ts';
import { NO_VITAL_SIGNS, type VitalSigns } from './vessel.ts';
import type { Sizes, Watch, Watched } from './watched.ts';

const PULSE_EVERY_MS = 200;
/** How often sizes are asked for: of a thread that does something, of one that is near its limit, of one that does nothing. */
const SIZES_EVERY_MS = 200;
const HOT_EVERY_MS = 50;
const IDLE_EVERY_MS = 1_000;
const IDLE_UTILIZATION = 0.02;
const HISTORY_EVERY_MS = 200;
const HISTORY_LENGTH = 50;
/** Memory that came since the last question, on which the next one does not wait for its time. */
const HOT_BYTES = 16 * 1024 * 1024;
/** Ticks: about a second. */
const UTILIZATION_SPAN = 20;
const NO_SIZES: Sizes = { heapBytes: 0, heapTotalBytes: 0, externalBytes: 0, mallocedBytes: 0, cpuSeconds: 0 };

export interface Tick {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** The same, less the time for which the host itself was held up: every silence is measured on it. */
  readonly fair: number;
}

interface Question {
  readonly n: number;
  readonly since: number;
}

export class VesselWatch implements Watch {
  readonly vessel: Watched;
  readonly #onClose: () => void;
  readonly #time: () => Tick;
  readonly #bornAt: number;
  #vitals: VitalSigns = NO_VITAL_SIGNS;
  #history: VitalSigns[] = [];
  /** Loop time at each of the last ticks, for the utilization. */
  #loop: { readonly at: number; readonly activeMs: number }[] = [];
  #sizes = NO_SIZES;
  #sizesAskedAt = Number.NEGATIVE_INFINITY;
  /** `faultedBytes` when the last question was asked, and when that one was whose answer `#sizes` is. */
  #faultedAsked = 0;
  #faultedRead = 0;
  /** The most that its heap accounted for, since `takeHeight`. */
  #heightBytes = 0;
  #asking = 0;
  #collected: number | null = null;
  /** What the collection that is awaited left; null while there is no answer. */
  #answer: number | null = null;
  #memory: MemoryHistory = NO_MEMORY_HISTORY;
  #n = 0;
  #ping: Question | null = null;
  #collection: Question | null = null;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #hasAnswered = false;
  #isClosed = false;

  constructor(vessel: Watched, options: { readonly time: () => Tick; readonly onClose: () => void }) {
    this.vessel = vessel;
    this.#time = options.time;
    this.#onClose = options.onClose;
    this.#bornAt = options.time().fair;
  }

  get vitals(): VitalSigns {
    return this.#vitals;
  }

  get history(): readonly VitalSigns[] {
    return this.#history;
  }

  /** Reads and asks; judges unless the host was held up just now, when answers may be waiting to be heard. */
  tick({ isLate }: { readonly isLate: boolean }): Verdict | null {
    if (this.#isClosed) return null;
    const { fair } = this.#time();
    this.#read();
    if (this.#isDue(fair)) this.#ask(fair).catch(() => undefined);
    if (this.#ping === null && fair - this.#pingedAt >= PULSE_EVERY_MS) this.#sendPing(fair);
    const verdict = isLate ? null : this.#judge(fair);
    const last = this.#history.at(-1);
    if (verdict !== null || last === undefined || this.#vitals.at - last.at >= HISTORY_EVERY_MS) this.#keep();
    return verdict;
  }

  #judge(fair: number): Verdict | null {
    const { limits } = this.vessel;
    const reading = { unansweredSince: this.#ping?.since ?? null, hasAnswered: this.#hasAnswered };
    return (
      judgeLoop(reading, { limits, now: fair }) ??
      this.#judgeMemory(fair) ??
      judgeCpu(this.#history, this.#vitals, { limits })
    );
  }

  answered(message: unknown): string | null {
    const { kind, n } = (message ?? {}) as Partial<PulseMessage>;
    if (kind === 'ping' && this.#ping !== null && n === this.#ping.n) {
      this.#ping = null;
      this.#hasAnswered = true;
      return null;
    }
    if (kind !== 'collect' || this.#collection === null || n !== this.#collection.n) {
      return 'an answer to a pulse that was not asked for';
    }
    // Answered is a collection only when it is known what it left: a thread may well say that it collected, and stall.
    void this.#ask(this.#time().fair).then((sizes) => {
      if (sizes === null) return;
      this.#collection = null;
      this.#answer = total(sizes);
      this.#collected = this.#answer;
    });
    return null;
  }

  async sample(): Promise<void> {
    await this.#ask(this.#time().fair);
    if (!this.#isClosed) this.#read();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keep();
    this.#onClose();
  }

  /** The most that its heap accounted for since the last call: what was collected meanwhile is not seen otherwise. */
  takeHeight(): number {
    const present = accounted(this.#sizes);
    const height = Math.max(this.#heightBytes, present);
    this.#heightBytes = present;
    return height;
  }

  #isDue(fair: number): boolean {
    if (this.#asking > 0) return false;
    const { eventLoopUtilization, silentMs, faultedBytes } = this.#vitals;
    const isTaking = (faultedBytes ?? 0) - this.#faultedAsked > HOT_BYTES;
    const isHot = isTaking || total(this.#sizes) > this.vessel.limits.memoryBytes / 2;
    const isIdle = eventLoopUtilization < IDLE_UTILIZATION && silentMs === 0 && this.#hasAnswered;
    const everyMs = isHot ? HOT_EVERY_MS : isIdle ? IDLE_EVERY_MS : SIZES_EVERY_MS;
    return fair - this.#sizesAskedAt >= everyMs;
  }

  /** Resolves with null when there is no answer to come. */
  async #ask(fair: number): Promise<Sizes | null> {
    this.#asking += 1;
    this.#sizesAskedAt = fair;
    const faulted = this.#vitals.faultedBytes ?? 0;
    this.#faultedAsked = faulted;
    try {
      const sizes = await this.vessel.sizes();
      if (this.#isClosed) return sizes;
      this.#sizes = sizes;
      this.#faultedRead = Math.max(this.#faultedRead, faulted);
      this.#heightBytes = Math.max(this.#heightBytes, accounted(sizes));
      return sizes;
    } catch {
      // It ended while it was read; its exit is reported by the exit itself.
      return null;
    } finally {
      this.#asking -= 1;
    }
  }

  #sendPing(fair: number): void {
    this.#n += 1;
    this.#ping = { n: this.#n, since: fair };
    this.#pingedAt = fair;
    this.vessel.pulse({ kind: 'ping', n: this.#n });
  }

  #judgeMemory(fair: number): Verdict | null {
    const reading = { bornAt: this.#bornAt, rawBytes: total(this.#sizes), collectedBytes: this.#answer };
    this.#answer = null;
    const { limits } = this.vessel;
    const { history, ask, verdict } = judgeMemory(this.#memory, reading, { limits, now: fair });
    this.#memory = history;
    if (ask && this.#collection === null) {
      this.#n += 1;
      this.#collection = { n: this.#n, since: fair };
      this.vessel.pulse({ kind: 'collect', n: this.#n });
    }
    return verdict;
  }

  /** What can be read at once, joined with the last answers. */
  #read(): void {
    const { at, fair } = this.#time();
    const { loopActiveMs, cpuSeconds, faultedBytes } = this.vessel.outside();
    const { cpuSeconds: cpuAsked, ...sizes } = this.#sizes;
    const unansweredSince = this.#ping?.since ?? null;
    this.#loop.push({ at, activeMs: loopActiveMs ?? 0 });
    this.#vitals = {
      ...sizes,
      at,
      // The system's count is fresh but coarse, the thread's own exact but old.
      cpuSeconds: Math.max(cpuAsked, cpuSeconds ?? 0),
      eventLoopUtilization: this.#utilization(),
      faultedBytes,
      silentMs: silenceMs({ unansweredSince, hasAnswered: this.#hasAnswered }, fair),
      unreadMs: this.#asking > 0 ? Math.max(0, fair - this.#sizesAskedAt) : 0,
      unreadBytes: Math.max(0, (faultedBytes ?? 0) - this.#faultedRead),
      collectedBytes: this.#collected,
      residentBytes: this.vessel.residentBytes(),
    };
  }

  #utilization(): number {
    const present = this.#loop.at(-1);
    this.#loop = this.#loop.slice(-UTILIZATION_SPAN);
    const start = this.#loop[0];
    if (present === undefined || start === undefined || present.at <= start.at) return 0;
    return Math.min(1, Math.max(0, (present.activeMs - start.activeMs) / (present.at - start.at)));
  }

  #keep(): void {
    this.#history = [...this.#history.slice(1 - HISTORY_LENGTH), this.#vitals];
  }
}

/** What its heap statistics account for of the resident memory: the heap that V8 holds, used or not. */
export function accounted({ heapTotalBytes, externalBytes, mallocedBytes }: Omit<Sizes, 'cpuSeconds'>): number {
  return heapTotalBytes + externalBytes + mallocedBytes;
}

/** What it holds, by its heap statistics. */
export function total({ heapBytes, externalBytes, mallocedBytes }: Omit<Sizes, 'cpuSeconds'>): number {
  return heapBytes + externalBytes + mallocedBytes;
}
