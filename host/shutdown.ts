/** The way down, each step with what is left of the grace period: sources first, then what they left in the bus, then the deliveries. */

import { delay } from '../ipc/clock.ts';
import type { Rooms } from './rooms.ts';

export interface StopReport {
  /** Firings that had not reached their agent. */
  readonly unfinished: number;
}

/** How much of the grace period the plugins and the bus may use. */
const SOURCES_SHARE = 0.6;

export async function stopRooms(
  { clock, plugins, bus, dispatch }: Rooms,
  { graceMs, why }: { readonly graceMs: number; readonly why: string },
): Promise<StopReport> {
  const deadline = clock.now() + graceMs;
  // First of all: a plugin whose events wait for a full disk would sit out its grace period and could not be told.
  dispatch.release();
  const sourcesDone = new AbortController();
  const sourcesMs = graceMs * SOURCES_SHARE;
  const sources = plugins.stop(why, sourcesMs).then(() => bus.drain());
  const limit = delay(clock, sourcesMs, sourcesDone.signal).catch(() => undefined);
  await Promise.race([sources.then(() => sourcesDone.abort()), limit]);
  // Acks flow while plugins drain; whatever still waits now is dropped with its reason, and its plugin is told.
  bus.abandon('shutdown');
  return dispatch.drain(Math.max(0, deadline - clock.now() - 500));
}
