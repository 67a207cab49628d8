/** The lines of `matcher`. An event that no mapping knows is said once, with the YAML that would map it. */

import type { Subscribable } from '../base/emitter.ts';
import type { MatchEvents } from '../match/events.ts';
import type { LineSampler } from './line-sampler.ts';
import type { Log } from './log.ts';

export function matchLines(log: Log, sampler: LineSampler, match: Subscribable<MatchEvents>): (() => void)[] {
  const invalid = (key: string, { source, type, cause }: MatchEvents['event:invalid'], what: string): void => {
    const logger = log.component('matcher', source);
    sampler.note(`${key}:${source}`, {
      first: () => logger.warn(`Invalid event of plugin ${source}${what}: ${cause}`, { type }),
      summary: (count, seconds) =>
        logger.warn(`Invalid events of plugin ${source}${what}: ${count} more in ${seconds} s, the latest: ${cause}`, {
          type,
          count,
        }),
    });
  };
  return [
    match.on('event:invalid', (event) => invalid('invalid', event, '')),
    match.on('event:poisonous', (event) =>
      invalid('poisonous', event, ', set aside because it took too long to judge'),
    ),
    match.on('type:unmapped', ({ source, type, yaml }) =>
      log
        .component('matcher', source)
        .warn(`No event mapping for ${source}:${type}; to map it, add the YAML to event-mappings.yaml`, { type, yaml }),
    ),
    match.on('type:mapping-disabled', ({ source, type }) =>
      log
        .component('matcher', source)
        .info(`The event mapping of ${source}:${type} is disabled; no Hook sees these events`, { type }),
    ),
    match.on('hook:template-broken', ({ hook, configuration, problem }) =>
      log
        .component('matcher')
        .warn(`The prompt of Hook ${hook} is not a valid template and is sent as raw text: ${problem}`, {
          hook,
          configuration,
        }),
    ),
    match.on('hook:filter-broken', ({ hook, problem }) =>
      log
        .component('matcher')
        .error(`The filter of Hook ${hook} is not a valid CEL expression and the Hook matches nothing: ${problem}`, {
          hook,
        }),
    ),
    match.on('hook:filter-failed', ({ hook, problem }) => {
      const logger = log.component('matcher');
      sampler.note(`filter:${hook}`, {
        first: () =>
          logger.warn(`The filter of Hook ${hook} failed for an event, which did not match therefore: ${problem}`, {
            hook,
          }),
        summary: (count, seconds) =>
          logger.warn(
            `The filter of Hook ${hook} failed in ${count} more ways in ${seconds} s, the latest: ${problem}`,
            {
              hook,
            },
          ),
      });
    }),
  ];
}
