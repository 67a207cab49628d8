// Runs in the plugin thread.
/** The Kubernetes source: one watch of Events per configured namespace, or one of all. What becomes an event stands in README.md. */

import { definePlugin } from 'khook/plugin';
import { type KubernetesConfig, watchedNamespaces } from './config.ts';
import { EventWatcher } from './event-watcher.ts';

let watchers: readonly EventWatcher[] = [];
let runs: Promise<unknown> = Promise.resolve();

export default definePlugin<KubernetesConfig>({
  initialize(config, ctx) {
    watchers = watchedNamespaces(config).map((namespace) => new EventWatcher({ ctx, namespace }));
  },
  /** Does not wait for the API server: being connected is the watchers' own affair, told by the health check. */
  start() {
    // Rejects only by a fault of this plugin: then the thread ends as it should, and is recycled.
    runs = Promise.all(watchers.map((watcher) => watcher.run()));
  },
  async stop() {
    await runs;
  },
  healthCheck() {
    return watchers.every((watcher) => watcher.isHealthy);
  },
});
