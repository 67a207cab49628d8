/** Asks one running generation for its own verdict, its healthCheck, at an interval. Never waits for a plugin, never throws. What is read from outside is the watchdog's. */

import type { Clock, Timer } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { Generation } from './generation.ts';

const UNHEALTHY_AFTER = 3;

export interface HealthWatchOptions {
  readonly clock: Clock;
  readonly generation: Generation;
  readonly onUnhealthy: (detail: string) => void;
  readonly onRecovered: () => void;
}

export class HealthWatch {
  readonly #options: HealthWatchOptions;
  readonly #timer: Timer;
  #isChecking = false;
  #isStopped = false;
  #failures = 0;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
    const { clock, generation } = options;
    this.#timer = clock.every(generation.spec.healthCheckIntervalMs, () => void this.#check());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
  }

  async #check(): Promise<void> {
    // One question at a time: a plugin that does not answer is asked again only after its deadline.
    if (this.#isChecking) return;
    this.#isChecking = true;
    const problem = await askHealth(this.#options.generation);
    this.#isChecking = false;
    // An answer that comes after the watch is over is nobody's news; above all it must not end a plugin that is draining.
    if (this.#isStopped) return;
    if (problem === null) {
      if (this.#failures > 0) this.#options.onRecovered();
      this.#failures = 0;
      return;
    }
    this.#failures += 1;
    this.#options.onUnhealthy(problem);
    if (this.#failures < UNHEALTHY_AFTER) return;
    const detail = `its health check failed ${this.#failures} times in a row: ${problem}`;
    await this.#options.generation.vessel.terminate({ reason: 'unhealthy', detail, stack: '', code: '' });
  }
}

/** Null when healthy. */
async function askHealth({ vessel, spec }: Generation): Promise<string | null> {
  try {
    const verdict = await vessel.control.call('healthCheck', { deadlineMs: spec.limits.healthCheckTimeoutMs });
    return verdict === false ? 'it said that it is not healthy' : null;
  } catch (error) {
    return messageOf(error);
  }
}
