/** The lines of `cluster-connection`: where credentials come from, and when they are renewed. Never what they are. */

import type { Subscribable } from '../base/emitter.ts';
import type { ClusterEvents } from '../cluster/events.ts';
import type { Log } from './log.ts';

export function clusterLines(log: Log, cluster: Subscribable<ClusterEvents>): (() => void)[] {
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
