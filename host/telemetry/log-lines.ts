/** Turns what the rooms say into log lines. The words are a contract: users grep for them (docs/plugin-troubleshooting.md). */

import type { Clock } from '../../ipc/clock.ts';
import type { Subscribable } from '../base/emitter.ts';
import { busLines } from './bus-lines.ts';
import { clusterLines } from './cluster-lines.ts';
import { configLines } from './config-lines.ts';
import { dispatchLines } from './dispatch-lines.ts';
import { LineSampler } from './line-sampler.ts';
import type { Log } from './log.ts';
import { matchLines } from './match-lines.ts';
import { pluginLines } from './plugin-lines.ts';
import type { Rooms } from './rooms.ts';
import { supervisionLines } from './supervision-lines.ts';
import type { TelemetryEvents } from './telemetry-events.ts';

export interface LogLinesOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly rooms: Rooms;
  readonly telemetry: Subscribable<TelemetryEvents>;
}

/** Dispose of it before the last flush of the log: it writes the summaries still owed. */
export function writeLogLines(options: LogLinesOptions): Disposable {
  const { log, clock, rooms, telemetry } = options;
  const stack = new DisposableStack();
  const sampler = stack.use(new LineSampler({ clock }));
  for (const unsubscribe of [
    ...configLines(log, rooms.config),
    ...supervisionLines(log, rooms.supervision),
    ...pluginLines(log, sampler, { supervision: rooms.supervision, telemetry }),
    ...busLines(log, sampler, rooms.bus),
    ...matchLines(log, sampler, rooms.match),
    ...dispatchLines(log, sampler, rooms.dispatch),
    ...clusterLines(log, sampler, rooms.cluster),
  ]) {
    stack.defer(unsubscribe);
  }
  return stack;
}
