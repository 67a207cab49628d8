/**
 * The watchdog of one host: a loop over all vessels that reads their vital signs from outside, judges them by the policies, and ends
 * those that are not healthy. It can neither wait nor throw: no plugin, and no mistake in the watch over one plugin, keeps it from
 * looking after the others. Runs on the host thread.
 */

import { getHeapStatistics } from 'node:v8';
import type { Clock, Timer } from '../../ipc/clock.ts';
import { Allocator } from './allocator.ts';
import { Attention } from './attention.ts';
import type { ThreadMemory } from './off-heap-policy.ts';
import { OffHeapWatch } from './off-heap-watch.ts';
import { PoolSigns } from './pool-signs.ts';
import type { Verdict } from './verdict.ts';
import { accounted, type Tick, VesselWatch } from './watch.ts';
import type { Watch, Watched } from './watched.ts';
import { type Departed, Zombies } from './zombies.ts';

const PERIOD_MS = 50;
/** A tick that comes so much too late says that the host itself was held up. */
const LATE_MS = 100;

export interface WatchdogOptions {
  readonly clock: Clock;
  /** More threads than the budget allows were told to end and did not: only a fresh process is rid of them. Called once. */
  readonly onTooManyZombies?: (why: string) => void;
}

export class Watchdog {
  /** What all plugins together may take of the host's time with what they say. */
  readonly attention: Attention;
  readonly #options: WatchdogOptions;
  readonly #watches = new Map<number, VesselWatch>();
  /** Threads that are watched no more and may still be there: what they take is theirs, not their neighbours'. */
  readonly #departed = new Map<number, VesselWatch>();
  readonly #zombies: Zombies;
  readonly #offHeap = new OffHeapWatch();
  readonly #allocator: Allocator;
  readonly #pool: PoolSigns;
  readonly #timer: Timer;
  #time: Tick;
  #lastId = 0;

  constructor(options: WatchdogOptions) {
    const { clock } = options;
    this.#options = options;
    this.attention = new Attention(clock);
    this.#zombies = new Zombies(options);
    this.#allocator = new Allocator(options);
    this.#pool = new PoolSigns(clock);
    this.#time = { at: clock.now(), fair: 0 };
    this.#timer = clock.every(PERIOD_MS, () => this.#tick());
  }

  /** Watches a vessel until the watch is closed. It is ended once, by the first verdict. */
  watch(vessel: Watched): Watch {
    this.#lastId += 1;
    const id = this.#lastId;
    const time = (): Tick => ({ at: this.#options.clock.now(), fair: this.#time.fair });
    const watch = new VesselWatch(vessel, {
      time,
      onClose: () => {
        this.#watches.delete(id);
        if (vessel.sharesHost) this.#departed.set(id, watch);
      },
    });
    this.#watches.set(id, watch);
    this.#offHeap.forget();
    return watch;
  }

  /** `gone` resolves when a vessel that was told to end has ended. */
  awaitEnd(departed: Departed, gone: Promise<unknown>): void {
    this.#zombies.awaitEnd(departed, gone);
  }

  /** Threads that were told to end and are still there. */
  get zombies(): number {
    return this.#zombies.count;
  }

  /** The same, of one plugin. */
  zombiesOf(plugin: string): number {
    return this.#zombies.of(plugin);
  }

  /** All of them, and those that were told a moment ago: while there is one, this process cannot end by itself. */
  get unended(): number {
    return this.#zombies.unended;
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#zombies.forget();
    this.#allocator[Symbol.dispose]();
  }

  #tick(): void {
    const at = this.#options.clock.now();
    const elapsed = at - this.#time.at;
    const isLate = elapsed - PERIOD_MS > LATE_MS;
    this.#time = { at, fair: this.#time.fair + (isLate ? PERIOD_MS : elapsed) };
    for (const watch of [...this.#watches.values()]) {
      try {
        const verdict = watch.tick({ isLate });
        if (verdict !== null) end(watch, verdict);
      } catch {
        // What cannot be read now is read at the next tick; the other vessels are looked after meanwhile.
      }
    }
    try {
      if (!isLate && this.#offHeap.isDue(at)) this.#judgeOffHeap(at);
    } catch {
      // As above.
    }
  }

  /** What a thread held goes with it, in the system's own time: the moments before tell nothing any more. */
  #forgetGone(): void {
    for (const [id, { vessel }] of this.#departed) {
      if (vessel.outside().faultedBytes !== null) continue;
      this.#departed.delete(id);
      this.#offHeap.forget();
      this.#allocator.giveBack();
    }
  }

  #judgeOffHeap(at: number): void {
    this.#forgetGone();
    const inside = [...this.#watches].filter(([, { vessel }]) => vessel.sharesHost);
    const resident = inside[0]?.[1].vitals.residentBytes ?? 0;
    if (resident === 0) return;
    const threads = [...inside, ...this.#departed].map(([id, watch]) => this.#memoryOf(id, watch));
    const own = getHeapStatistics();
    const explained = threads.reduce((sum, { ownBytes }) => sum + ownBytes, 0);
    const hostBytes = own.total_heap_size + own.external_memory + own.malloced_memory;
    const unexplainedBytes = resident - explained - hostBytes;
    const poolFaultedBytes = this.#pool.faultedBytes();
    const blame = this.#offHeap.judge({ at, unexplainedBytes, poolFaultedBytes, threads });
    const watch = blame === null ? undefined : this.#watches.get(blame.id);
    if (blame !== null && watch !== undefined) end(watch, blame.verdict);
  }

  #memoryOf(id: number, watch: VesselWatch): ThreadMemory {
    const { vessel, vitals } = watch;
    const hasDeparted = this.#departed.has(id);
    return {
      id,
      faultedBytes: (hasDeparted ? vessel.outside() : vitals).faultedBytes ?? 0,
      unreadBytes: hasDeparted ? 0 : vitals.unreadBytes,
      poolWork: vessel.poolWork(),
      ownBytes: accounted(vitals),
      heightBytes: watch.takeHeight(),
      limitBytes: vessel.limits.memoryBytes,
    };
  }
}

function end(watch: VesselWatch, { reason, detail }: Verdict): void {
  watch.vessel.terminate({ reason, detail, stack: '', code: '' });
  watch.close();
}
