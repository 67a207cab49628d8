/**
 * How long each step of the way down may take, all from one number: settings.shutdownGrace. Each step fits into the one outside it,
 * and leaves it time to act when the inner one failed.
 *
 *   graceMs       from the signal to the exit
 *   ├ sourcesMs     the plugins, and what they left in the bus
 *   │ └ pluginsMs     until every plugin is gone, or is reported as not gone
 *   │   └ pluginMs      drain and stop of one plugin; then it is terminated. Its own stopTimeout may be shorter.
 *   ├ …             the deliveries have what is left of graceMs
 *   └ closeMs       ports, threads and files of the host
 *
 * Of one plugin's time, drain has half and stop has all that drain left.
 */

export interface StopLadder {
  readonly graceMs: number;
  readonly sourcesMs: number;
  readonly pluginsMs: number;
  readonly pluginMs: number;
  readonly closeMs: number;
}

export function stopLadder(graceMs: number): StopLadder {
  return {
    graceMs,
    sourcesMs: graceMs * 0.6,
    pluginsMs: graceMs * 0.55,
    pluginMs: graceMs * 0.5,
    closeMs: graceMs * 0.05,
  };
}

/** The least shutdownGrace into which a stopTimeout fits. */
export function graceFor(stopTimeoutMs: number): number {
  return stopTimeoutMs * 2;
}
