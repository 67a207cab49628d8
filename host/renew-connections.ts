/** Joins the connection to the cluster with those who use it: plugins that were granted it, and those that wait for one. */

import type { ConnectionWatch } from './cluster/connection-watch.ts';
import type { ConfigFollower } from './config/follow.ts';
import type { Plugins } from './supervision/plugins.ts';

export interface RenewConnectionsOptions {
  readonly cluster: ConnectionWatch;
  readonly plugins: Plugins;
  readonly config: Pick<ConfigFollower, 'reload'>;
  readonly onError: (error: unknown) => void;
}

export function renewConnections({ cluster, plugins, config, onError }: RenewConnectionsOptions): void {
  cluster.events.on('connection:changed', ({ changed }) => {
    if (cluster.connection !== null) plugins.reconnect(cluster.connection);
    // Where there was no connection before, plugins are blocked: they are planned anew.
    if (changed.includes('server')) config.reload().catch(onError);
  });
  plugins.on('plugin:credentials-refused', ({ plugin }) => {
    const answer = async (): Promise<void> => {
      const connection = await cluster.renew();
      // The plugin waits for an answer, also when there is nothing new.
      if (connection !== null) plugins.find(plugin)?.reconnect(connection);
    };
    answer().catch(onError);
  });
}
