/**
 * What happens when khook itself has a fault: an error that nobody caught. A listener of the log or of a metric that throws must not
 * take the events down with it, so it is reported and the host goes on; a host that keeps failing leaves, and its keeper starts a
 * fresh one.
 */

import type { Clock } from '../../ipc/clock.ts';

export interface InternalErrorsOptions {
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
  /** Too many within a minute. */
  readonly giveUp: (count: number) => void;
}

const WINDOW_MS = 60_000;
const MAX_IN_WINDOW = 10;

/** The function to call with each uncaught error. */
export function internalErrors({ clock, report, giveUp }: InternalErrorsOptions): (error: unknown) => void {
  let times: number[] = [];
  return (error) => {
    const now = clock.now();
    times = [...times.filter((at) => now - at < WINDOW_MS), now];
    report(error);
    if (times.length > MAX_IN_WINDOW) giveUp(times.length);
  };
}
