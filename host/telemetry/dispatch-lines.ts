/** The lines of `dispatch` and `kagent-client`. Ordinary deliveries have a budget too: a storm of firings must not become a storm of lines. */

import type { Subscribable } from '../base/emitter.ts';
import type { Delivery } from '../dispatch/delivery.ts';
import type { DispatchEvents } from '../dispatch/events.ts';
import type { LineSampler, SampledLine } from './line-sampler.ts';
import type { Log } from './log.ts';

/** Lines of one kind in 10 s, before they become a count. */
const BURST = 20;

export function dispatchLines(log: Log, sampler: LineSampler, dispatch: Subscribable<DispatchEvents>): (() => void)[] {
  const logger = log.component('dispatch');
  const client = log.component('kagent-client');
  const outbox = log.component('outbox');
  const note = (key: string, line: SampledLine): void => sampler.note(key, line, { burst: BURST });
  return [
    dispatch.on('firing:accepted', (delivery) =>
      logger.debug(`Firing accepted for ${delivery.firing.hook}`, ids(delivery)),
    ),
    dispatch.on('firing:duplicate', ({ eventId, hook, until }) =>
      note(`duplicate:${hook}`, {
        first: () =>
          logger.info(`Event ignored due to deduplication: ${hook} has fired for it`, {
            hook,
            eventId,
            until: time(until),
          }),
        summary: (count, seconds) =>
          logger.info(`Event ignored due to deduplication: ${count} more of ${hook} in ${seconds} s`, { hook, count }),
      }),
    ),
    dispatch.on('firing:held', ({ delivery, callsPerHour, forMs }) => {
      const { hook } = delivery.firing;
      const until = `a digest in ${Math.ceil(forMs / 60_000)} min`;
      sampler.note(`held:${hook}`, {
        first: () =>
          logger.warn(
            `Hook ${hook} has used up its ${callsPerHour} calls an hour: a firing waits for ${until}`,
            ids(delivery),
          ),
        summary: (count, seconds) =>
          logger.warn(`Hook ${hook} is over its budget: ${count} more firings in ${seconds} s wait for ${until}`, {
            hook,
          }),
      });
    }),
    dispatch.on('digest:sent', ({ hook, agent, messageId, firings }) =>
      logger.info(`Digest of ${firings} firings of Hook ${hook} goes to agent ${agent}`, {
        hook,
        agent,
        messageId,
        firings,
      }),
    ),
    dispatch.on('call:started', ({ delivery, agent, attempt }) =>
      client.debug(`Calling agent ${agent}`, { agent, attempt, ...ids(delivery) }),
    ),
    dispatch.on('call:accepted', ({ delivery, agent, taskId, durationMs }) =>
      note(`accepted:${agent}`, {
        first: () =>
          client.info(`Agent ${agent} took the message in ${Math.round(durationMs)} ms`, {
            agent,
            taskId,
            ...ids(delivery),
          }),
        summary: (count, seconds) =>
          client.info(`Agent ${agent} took ${count} more messages in ${seconds} s`, { agent }),
      }),
    ),
    dispatch.on('call:error', ({ delivery, agent, code, message, retryInMs }) => {
      const next =
        retryInMs === null ? 'it was the last attempt' : `next attempt in ${(retryInMs / 1000).toFixed(1)} s`;
      note(`error:${agent}:${code}`, {
        first: () =>
          client.warn(`Call to agent ${agent} failed: ${message}; ${next}`, { agent, code, ...ids(delivery) }),
        summary: (count, seconds) =>
          client.warn(`${count} more calls to agent ${agent} failed in ${seconds} s: ${message}`, { agent, code }),
      });
    }),
    dispatch.on('task:completed', ({ delivery, agent, taskId, durationMs }) =>
      note(`completed:${agent}`, {
        first: () =>
          client.info(`Agent ${agent} completed its task in ${Math.round(durationMs)} ms`, {
            agent,
            taskId,
            ...ids(delivery),
          }),
        summary: (count, seconds) =>
          client.info(`Agent ${agent} completed ${count} more tasks in ${seconds} s`, { agent }),
      }),
    ),
    dispatch.on('firing:settled', ({ delivery, outcome, detail }) => {
      if (outcome === 'duplicate') {
        logger.info(`Firing of ${delivery.firing.hook} was sent by another khook: ${detail}`, ids(delivery));
        return;
      }
      if (outcome === 'delivered') {
        logger.debug(`Firing of ${delivery.firing.hook} delivered`, { detail, ...ids(delivery) });
        return;
      }
      const what = outcome === 'dead_lettered' ? 'dead-lettered' : 'dropped';
      note(`${outcome}:${delivery.firing.hook}`, {
        first: () => logger.error(`Firing of ${delivery.firing.hook} was ${what}: ${detail}`, ids(delivery)),
        summary: (count, seconds) =>
          logger.error(`${count} more firings of ${delivery.firing.hook} were ${what} in ${seconds} s: ${detail}`),
      });
    }),
    dispatch.on('firing:redriven', (delivery) =>
      note('redriven', {
        first: () => logger.info(`Dead letter of ${delivery.firing.hook} is sent again`, ids(delivery)),
        summary: (count, seconds) => logger.info(`${count} more dead letters are sent again, in ${seconds} s`),
      }),
    ),
    dispatch.on('dead-letter:dropped', (delivery) =>
      note('letter-dropped', {
        first: () => logger.info(`Dead letter of ${delivery.firing.hook} was dropped by a person`, ids(delivery)),
        summary: (count, seconds) =>
          logger.info(`${count} more dead letters were dropped by a person, in ${seconds} s`),
      }),
    ),
    dispatch.on('dead-letters:forgotten', ({ count, why }) => {
      const bound = why === 'age' ? 'settings.deadLetters.maxAge' : 'settings.deadLetters.maxCount and maxBytes';
      note(`forgotten:${why}`, {
        first: () => outbox.warn(`Dead letters forgotten: ${count}, the oldest, over ${bound}`, { count, why }),
        summary: (times, seconds) =>
          outbox.warn(`Dead letters forgotten ${times} more times in ${seconds} s, over ${bound}`, { why }),
      });
    }),
    dispatch.on('outbox:full', ({ firings }) =>
      outbox.warn(`Outbox is full: ${firings} firings wait for their agents, and sources wait for room`, { firings }),
    ),
    dispatch.on('outbox:roomy', ({ forMs }) =>
      outbox.info(`Outbox has room again after ${(forMs / 1000).toFixed(1)} s; sources go on`),
    ),
    dispatch.on('clock:stepped', ({ byMs }) =>
      outbox.warn(
        `The clock of this machine was set ${byMs > 0 ? 'forward' : 'back'} by ${(Math.abs(byMs) / 1000).toFixed(0)} s; dedup windows, delays and ages stay as they were`,
        { byMs },
      ),
    ),
    dispatch.on('outbox:set-aside', ({ path, to }) =>
      outbox.error(`Outbox file set aside as ${to}; a new one is written from memory`, {
        code: 'HOST_ERR_OUTBOX',
        path,
      }),
    ),
    dispatch.on('outbox:opened', ({ path, firings, deadLetters }) =>
      outbox.info(`Outbox opened; firings taken up from an earlier run: ${firings}`, { path, firings, deadLetters }),
    ),
    dispatch.on('outbox:fault', ({ kind, path, message }) =>
      outbox.error(`Outbox at fault: ${message}`, { code: 'HOST_ERR_OUTBOX', kind, path }),
    ),
    dispatch.on('outbox:recovered', ({ path, forMs }) =>
      outbox.info(`Outbox works again after ${(forMs / 1000).toFixed(1)} s; sources go on`, { path }),
    ),
    dispatch.on('outbox:error', ({ messageId, message }) =>
      note('outbox:error', {
        first: () => outbox.warn(`Outbox could not record a step: ${message}`, { messageId }),
        summary: (count, seconds) =>
          outbox.warn(`Outbox could not record ${count} more steps in ${seconds} s: ${message}`),
      }),
    ),
    dispatch.on('circuit:opened', ({ agent }) =>
      client.warn(`Calls to agent ${agent} pause: it failed repeatedly; its firings wait`, { agent }),
    ),
    dispatch.on('circuit:closed', ({ agent }) =>
      client.info(`Calls to agent ${agent} go on: it answers again`, { agent }),
    ),
  ];
}

function ids({ messageId, eventId, firing }: Delivery): Record<string, unknown> {
  return { hook: firing.hook, eventId, messageId };
}

function time(wall: number): string {
  return new Date(wall).toISOString();
}
