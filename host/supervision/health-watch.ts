/** Asks one running generation for its own verdict, its healthCheck, at an interval. Never waits for a plugin, never throws. What is read from outside is the watchdog's. */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { thrownAt } from '../../ipc/plugin-frames.ts';
import type { Generation } from './generation.ts';

const UNHEALTHY_AFTER = 3;

/** `stale`: the plugin is well, its source cannot be reached. It is left running: it would only begin again where it is now. */
export type HealthNews =
  | { readonly kind: 'unhealthy' | 'stale'; readonly detail: string }
  | { readonly kind: 'recovered' | 'fresh' };

export interface HealthWatchOptions {
  readonly clock: Clock;
  readonly generation: Generation;
  readonly tell: (news: HealthNews) => void;
}

export class HealthWatch {
  readonly #options: HealthWatchOptions;
  readonly #timer: Timer;
  #isChecking = false;
  #isStopped = false;
  #failures = 0;
  #staleness: string | null = null;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
    const { clock, generation } = options;
    this.#timer = clock.every(generation.spec.healthCheckIntervalMs, () => void this.#check());
  }

  /** Why the source is stale, as of the last check; null while it is fresh. */
  get staleness(): string | null {
    return this.#staleness;
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
  }

  async #check(): Promise<void> {
    // One question at a time: a plugin that does not answer is asked again only after its deadline.
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { problem, staleness } = await askHealth(this.#options.generation);
    this.#isChecking = false;
    // An answer that comes after the watch is over is nobody's news; above all it must not end a plugin that is draining.
    if (this.#isStopped) return;
    const { tell, generation } = this.#options;
    if (problem === null) {
      if (this.#failures > 0) tell({ kind: 'recovered' });
      this.#failures = 0;
      this.#follow(staleness);
      return;
    }
    this.#failures += 1;
    tell({ kind: 'unhealthy', detail: problem });
    if (this.#failures < UNHEALTHY_AFTER) return;
    const detail = `its health check failed ${this.#failures} times in a row: ${problem}`;
    await generation.vessel.terminate({ reason: 'unhealthy', detail, stack: '', code: '' });
  }

  /** Told when it begins and when it is over; the words in between change with every second. */
  #follow(staleness: string | null): void {
    const was = this.#staleness;
    this.#staleness = staleness;
    if (staleness !== null && was === null) this.#options.tell({ kind: 'stale', detail: staleness });
    if (staleness === null && was !== null) this.#options.tell({ kind: 'fresh' });
  }
}

interface Health {
  /** Null when healthy. */
  readonly problem: string | null;
  readonly staleness: string | null;
}

async function askHealth({ vessel, spec }: Generation): Promise<Health> {
  try {
    const verdict = await vessel.control.call('healthCheck', { deadlineMs: spec.limits.healthCheckTimeoutMs });
    if (typeof verdict === 'string') return { problem: null, staleness: verdict };
    return { problem: verdict === false ? 'it said that it is not healthy' : null, staleness: null };
  } catch (error) {
    return { problem: `${messageOf(error)}${placeOf(error)}`, staleness: null };
  }
}

/** Of what its check threw. What the wire has to say of a check has no place in its code. */
function placeOf(error: unknown): string {
  return error instanceof Error && !codeOf(error).startsWith('IPC_') ? thrownAt(error.stack ?? '') : '';
}
