// Runs in the plugin thread.
/** The Kubernetes source: Events, the status of pods and the conditions of nodes. What becomes an event stands in docs/kubernetes.md. */

import { definePlugin, type PluginContext } from 'khook/plugin';
import type { KubernetesConfig } from './config.ts';
import { oldestContacts, staleness } from './freshness.ts';
import { describeScope } from './resource.ts';
import { openWatchers, type Watcher, type Watchers } from './watchers.ts';

const CONTACT_EVERY_MS = 5_000;

let watchers: Watchers | null = null;
let running: Promise<unknown> = Promise.resolve();

export default definePlugin<KubernetesConfig>({
  initialize(config, ctx) {
    watchers = openWatchers(config, ctx);
  },
  /** Does not wait for the API server: being connected is the watches' own affair, told by the health check. */
  start(ctx) {
    const { all = [] } = watchers ?? {};
    const telling = tellContacts(ctx, all);
    ctx.log.info('Kubernetes event watcher started', {
      watches: all.map(({ freshness }) => describeScope(freshness.scope)),
    });
    // Rejects only by a fault of this plugin: then the thread ends as it should, and is recycled.
    running = Promise.all(all.map((watcher) => watcher.run())).then(() => {
      clearInterval(telling);
      ctx.log.info('Kubernetes event watcher stopped');
    });
  },
  async stop() {
    await running;
  },
  /** An API server that is away is no fault of this plugin: it would only start where it is now. */
  healthCheck() {
    if (watchers === null) return true;
    const watches = watchers.all.map(({ freshness }) => freshness);
    const stale = staleness(watches, { now: performance.now(), isFull: watchers.window.isFull });
    return stale === null ? true : { stale };
  },
});

function tellContacts({ metrics }: PluginContext, watchers: readonly Watcher[]): NodeJS.Timeout {
  const contact = metrics.gauge({
    name: 'kubernetes_last_contact_timestamp_seconds',
    help: 'When the API server was last heard about a resource, by the watch of it that heard it longest ago.',
  });
  const denied = metrics.gauge({
    name: 'kubernetes_watches_denied',
    help: 'Watches that the API server does not allow; the log names the rules that are missing.',
  });
  return setInterval(() => {
    const watches = watchers.map(({ freshness }) => freshness);
    const now = performance.now();
    for (const [resource, heardAt] of oldestContacts(watches))
      contact.set((Date.now() - (now - heardAt)) / 1_000, { resource });
    denied.set(watches.filter(({ isDenied }) => isDenied).length);
  }, CONTACT_EVERY_MS);
}
