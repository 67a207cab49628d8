/** The way down, each step within its place on the stop ladder: sources first, then what they left in the bus, then the deliveries. */

import { delay } from '../ipc/clock.ts';
import { stopLadder } from './config/stop-ladder.ts';
import type { Rooms } from './rooms.ts';
import type { Unstopped } from './supervision/unstopped.ts';

export interface StopReport {
  /** Firings that had not reached their agent. */
  readonly unfinished: number;
  /** Plugins that did not stop when they were asked to. */
  readonly unstopped: readonly Unstopped[];
}

export async function stopRooms(
  { clock, plugins, bus, dispatch }: Rooms,
  { graceMs, why }: { readonly graceMs: number; readonly why: string },
): Promise<StopReport> {
  const ladder = stopLadder(graceMs);
  const deadline = clock.now() + graceMs;
  // First of all: a plugin whose events wait for a full disk would sit out its grace period and could not be told.
  dispatch.release();
  const sourcesDone = new AbortController();
  let unstopped: readonly Unstopped[] = [];
  const sources = plugins.stop(why, ladder).then((report) => {
    unstopped = report;
    return bus.drain();
  });
  const limit = delay(clock, ladder.sourcesMs, sourcesDone.signal).catch(() => undefined);
  await Promise.race([sources.then(() => sourcesDone.abort()), limit]);
  // Acks flow while plugins drain; whatever still waits now is dropped with its reason, and its plugin is told.
  bus.abandon('shutdown');
  const { unfinished } = await dispatch.drain(Math.max(0, deadline - clock.now() - ladder.closeMs));
  return { unfinished, unstopped };
}
