/** The lines of `event-bus`: only what is not the ordinary course of events, and sampled. */

import type { Subscribable } from '../base/emitter.ts';
import type { BusEvents } from '../bus/events.ts';
import type { LineSampler } from './line-sampler.ts';
import type { Log } from './log.ts';

export function busLines(log: Log, sampler: LineSampler, bus: Subscribable<BusEvents>): (() => void)[] {
  return [
    bus.on('frame:throttled', ({ plugin, events, waitMs }) => {
      const logger = log.component('event-bus', plugin);
      const wait = `${Math.round(waitMs)} ms`;
      const advice = 'it is over its rateLimit in plugins.yaml and waits, nothing is lost';
      sampler.note(
        `throttled:${plugin}`,
        {
          first: () => logger.warn(`plugin ${plugin} is throttled: ${events} events wait ${wait}; ${advice}`),
          summary: (count, seconds) =>
            logger.warn(`plugin ${plugin} is throttled: ${count} more events waited within ${seconds} s; ${advice}`),
        },
        { count: events },
      );
    }),
    bus.on('frame:dropped', ({ plugin, events, reason }) => {
      const logger = log.component('event-bus', plugin);
      sampler.note(
        `dropped:${plugin}:${reason}`,
        {
          first: () => logger.warn(`Dropped ${events} events of plugin ${plugin}: ${reason}`, { reason }),
          summary: (count, seconds) =>
            logger.warn(`Dropped ${count} more events of plugin ${plugin} in ${seconds} s: ${reason}`, { reason }),
        },
        { count: events },
      );
    }),
    bus.on('frame:failed', ({ plugin, events, error }) => {
      const logger = log.component('event-bus', plugin);
      const what = `Invalid events of plugin ${plugin}: the matcher could not judge`;
      sampler.note(
        `failed:${plugin}`,
        {
          first: () => logger.error(`${what} ${events} of them: ${error}`),
          summary: (count, seconds) => logger.error(`${what} ${count} more in ${seconds} s: ${error}`),
        },
        { count: events },
      );
    }),
  ];
}
