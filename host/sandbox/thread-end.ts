/**
 * When a thread may be ended that was told of its end: see ipc/runtime/guard/ending.ts. It parks itself where nothing is half made; on a
 * busy machine it needs a while until a core lets it get there. Runs on the host thread.
 */

import { type Clock, delay } from '../../ipc/clock.ts';

/** What is seen of it from outside. */
export interface EndingSigns {
  readonly isParked: boolean;
  /** Its CPU time; null where it cannot be told. */
  readonly cpuSeconds: number | null;
  /** How long its event loop has had nothing to do. */
  readonly idleMs: number;
}

const STEP_MS = 5;
/** Of a step; the rest is what timers are late. */
const IDLE_SHARE = 0.8;
/** One that has worked so long since it was told, and has not parked, makes nothing that must not be cut. */
const BUSY_SECONDS = 0.05;
/** Where its CPU time cannot be told; and when even that does not move. */
const BLIND_MS = 100;
const MOST_MS = 2_000;

/** `told`: as it was when it was told. `idleStepMs`: since the look before this one. */
export function mayEnd(
  told: EndingSigns,
  {
    now,
    idleStepMs,
    elapsedMs,
  }: { readonly now: EndingSigns; readonly idleStepMs: number; readonly elapsedMs: number },
): boolean {
  if (now.isParked || elapsedMs >= MOST_MS) return true;
  if (idleStepMs >= STEP_MS * IDLE_SHARE) return true;
  if (now.cpuSeconds === null || told.cpuSeconds === null) return elapsedMs >= BLIND_MS;
  return now.cpuSeconds - told.cpuSeconds >= BUSY_SECONDS;
}

/** Resolves when it may be ended; within two seconds. */
export async function settled(look: () => EndingSigns, clock: Clock): Promise<void> {
  const told = look();
  const from = clock.now();
  for (let last = told; ; ) {
    await delay(clock, STEP_MS);
    const now = look();
    const idleStepMs = now.idleMs - last.idleMs;
    if (mayEnd(told, { now, idleStepMs, elapsedMs: clock.now() - from })) return;
    last = now;
  }
}
