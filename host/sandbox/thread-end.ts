/**
 * When a thread may be ended that was told of its end: see ipc/runtime/guard/ending.ts. It waits where nothing is half made; on a busy
 * machine it takes a while until a core lets it get there. Runs on the host thread.
 */

import type { Clock } from '../../ipc/clock.ts';
import { WAITS } from '../../ipc/ending-cells.ts';

/** What is seen of it from outside. */
export interface EndingSigns {
  /** It waits for its end. */
  readonly isWaiting: boolean;
  /** Its CPU time; null where it cannot be told. */
  readonly cpuSeconds: number | null;
}

const STEP_MS = 5;
/** One that has worked so long since it was told, and does not wait, makes nothing that must not be cut. */
const BUSY_SECONDS = 0.05;
/** Where its CPU time cannot be told; and when even that does not move. */
const BLIND_MS = 100;
const MOST_MS = 2_000;

/** `told`: as it was when it was told. */
export function mayEnd(told: EndingSigns, now: EndingSigns, elapsedMs: number): boolean {
  if (now.isWaiting || elapsedMs >= MOST_MS) return true;
  if (now.cpuSeconds === null || told.cpuSeconds === null) return elapsedMs >= BLIND_MS;
  return now.cpuSeconds - told.cpuSeconds >= BUSY_SECONDS;
}

/** Resolves when it may be ended; within two seconds. */
export async function settled(
  look: () => EndingSigns,
  cells: Int32Array<SharedArrayBuffer>,
  clock: Clock,
): Promise<void> {
  const told = look();
  const from = clock.now();
  for (let now = told; !mayEnd(told, now, clock.now() - from); now = look()) {
    await Atomics.waitAsync(cells, WAITS, 0, STEP_MS).value;
  }
}
