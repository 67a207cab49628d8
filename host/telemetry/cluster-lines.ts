/** The lines about the cluster: where credentials come from, whether its Hooks are followed, what could not be written. Never a credential. */

import type { Subscribable } from '../base/emitter.ts';
import type { ClusterEvents } from '../cluster/events.ts';
import type { LineSampler } from './line-sampler.ts';
import type { Log } from './log.ts';

export function clusterLines(log: Log, sampler: LineSampler, cluster: Subscribable<ClusterEvents>): (() => void)[] {
  return [
    ...connectionLines(log, cluster),
    ...hookLines(log, cluster),
    ...accessLines(log, cluster),
    ...writerLines(log, sampler, cluster),
    ...leaderLines(log, cluster),
  ];
}

function connectionLines(log: Log, cluster: Subscribable<ClusterEvents>): (() => void)[] {
  const logger = log.component('cluster-connection');
  return [
    cluster.on('connection:changed', ({ server, origin, changed }) =>
      logger.info(`Connection to ${server} renewed: ${changed.join(', ')}`, { server, origin, changed }),
    ),
    cluster.on('connection:unreadable', ({ reason }) =>
      logger.warn(`Connection to the cluster cannot be renewed; the last one stays in use: ${reason}`, { reason }),
    ),
  ];
}

function hookLines(log: Log, cluster: Subscribable<ClusterEvents>): (() => void)[] {
  const logger = log.component('hook-informer');
  return [
    cluster.on('hooks:synced', ({ hooks, namespaces }) => {
      const where = namespaces.length === 0 ? 'all namespaces' : `namespaces ${namespaces.join(', ')}`;
      logger.info(`Hooks of the cluster are followed: ${hooks} in ${where}`, { hooks, namespaces });
    }),
    cluster.on('hooks:changed', (counts) => logger.debug('Hooks of the cluster changed', { ...counts })),
    cluster.on('hooks:stale', ({ reason, isSynced }) => {
      const rest = isSynced ? 'those that are known stay in force' : 'no plugin runs before they are';
      logger.warn(`Hooks of the cluster cannot be read; ${rest}: ${reason}`, { reason });
    }),
    cluster.on('hooks:fresh', ({ afterMs }) =>
      logger.info(`Hooks of the cluster are followed again after ${Math.round(afterMs / 1000)} s`),
    ),
  ];
}

function accessLines(log: Log, cluster: Subscribable<ClusterEvents>): (() => void)[] {
  const logger = log.component('cluster-access');
  return [
    ...(['hooks:refused', 'access:refused'] as const).map((name) =>
      cluster.on(name, ({ verb, resource, group, namespace, message, rule }) => {
        const what = `${verb} ${group === '' ? '' : `${group}/`}${resource}`;
        const text = `Not allowed to ${what}: add the rule to a role that is bound to khook: ${message}`;
        logger.error(text, { verb, resource, group, namespace, rule });
      }),
    ),
    cluster.on('access:granted', ({ verb, resource, group, namespace }) =>
      logger.info(`Allowed to ${verb} ${resource} now`, { verb, resource, group, namespace }),
    ),
  ];
}

function writerLines(log: Log, sampler: LineSampler, cluster: Subscribable<ClusterEvents>): (() => void)[] {
  const status = log.component('hook-status');
  const recorder = log.component('event-recorder');
  return [
    cluster.on('status:error', ({ hook, message, retryInMs }) =>
      sampler.note('status:error', {
        first: () =>
          status.warn(
            `Status of Hook ${hook} could not be written: ${message}; next attempt in ${(retryInMs / 1000).toFixed(1)} s`,
            { hook },
          ),
        summary: (count, seconds) =>
          status.warn(`Status of Hooks could not be written ${count} more times in ${seconds} s: ${message}`, {
            count,
          }),
      }),
    ),
    cluster.on('status:pruned', ({ hook }) =>
      status.warn(
        'The API server drops a part of what khook writes into the status of Hooks: apply the CustomResourceDefinition of this version; until then a new leader may repeat a firing',
        { hook },
      ),
    ),
    cluster.on('record:error', ({ reason, message }) =>
      sampler.note('record:error', {
        first: () => recorder.warn(`Event ${reason} could not be written: ${message}`, { reason }),
        summary: (count, seconds) =>
          recorder.warn(`Events could not be written ${count} more times in ${seconds} s: ${message}`, { count }),
      }),
    ),
    cluster.on('record:dropped', ({ reason, count }) =>
      sampler.note(
        'record:dropped',
        {
          first: () => recorder.warn(`Event ${reason} was left out: there are more than can be written`, { reason }),
          summary: (more, seconds) =>
            recorder.warn(`${more} more Events were left out in ${seconds} s`, { count: more }),
        },
        { count },
      ),
    ),
  ];
}

function leaderLines(log: Log, cluster: Subscribable<ClusterEvents>): (() => void)[] {
  const logger = log.component('leader-election');
  return [
    cluster.on('leadership:acquired', ({ identity }) =>
      logger.info(`This khook leads now, as ${identity}: it takes over what fired before, then plugins run`, {
        identity,
      }),
    ),
    cluster.on('leadership:lost', ({ why }) =>
      logger.error(`This khook does not lead any more and fires nothing from now on: ${why}`, { why }),
    ),
    cluster.on('lease:holder', ({ holder }) => logger.info(`Another khook leads: ${holder}`, { holder })),
    cluster.on('lease:fault', ({ code, message, isLeading }) => {
      const rest = isLeading ? 'it leads until the lease runs out' : 'it cannot lead';
      logger.warn(`The lease cannot be read or renewed; ${rest}: ${message}`, { code });
    }),
    cluster.on('lease:recovered', ({ forMs }) =>
      logger.info(`The lease can be read and renewed again after ${Math.round(forMs / 1000)} s`),
    ),
    cluster.on('lease:released', ({ identity }) => logger.info('The lease was given back', { identity })),
    cluster.on('label:fault', ({ pod, code, message }) =>
      logger.warn(`Pod ${pod} cannot be labelled, so the webhook Service may select another: ${message}`, { code }),
    ),
    cluster.on('label:recovered', ({ pod }) => logger.info(`Pod ${pod} is labelled again`)),
  ];
}
