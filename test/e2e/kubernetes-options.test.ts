/** No option of the Kubernetes plugin is without an effect: each one is flipped while it runs, and the API server sees the difference. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventObject } from '../plugins/kubernetes/support.ts';
import type { ApiServer } from '../support/api-server.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { kubernetesFiles, kubernetesPlugins } from '../support/kubernetes-host.ts';
import { TestCluster } from '../support/test-cluster.ts';

const IGNORED = 'khook_plugin_custom_kubernetes_events_ignored_total{plugin="kubernetes",why="normal"}';

describe('kubernetes options', () => {
  type Watching = (config: object, ...expected: string[]) => Promise<void>;

  const FLIPS: Readonly<Record<string, (watching: Watching, host: AppHost, api: ApiServer) => Promise<void>>> = {
    async namespace(watching) {
      await watching({}, 'events', 'nodes', 'pods');
      await watching({ namespace: 'shop' }, 'shop/events', 'shop/pods');
      await watching({ namespace: 'shop,bank' }, 'bank/events', 'bank/pods', 'shop/events', 'shop/pods');
    },
    async namespaces(watching) {
      await watching({ namespaces: ['shop', 'bank'] }, 'bank/events', 'bank/pods', 'shop/events', 'shop/pods');
    },
    async sources(watching) {
      await watching({ sources: ['events'] }, 'events');
      await watching({ namespace: 'shop', sources: ['events', 'nodes'] }, 'nodes', 'shop/events');
    },
    async debug(watching, host, api) {
      const ignored = (): number => host.grep(/\[DEBUG\] Kubernetes event ignored/).length;
      await watching({ sources: ['events'], debug: true }, 'events');
      api.put(eventObject('told', { type: 'Normal', reason: 'Pulled' }));
      await eventually(() => ignored() === 1);
      await watching({ debug: false }, 'events', 'nodes', 'pods');
      api.put(eventObject('counted', { type: 'Normal', reason: 'Pulled' }));
      await eventually(async () => (await host.metric(IGNORED)) === 2);
      assert.equal(ignored(), 1);
    },
  };

  for (const [key, flip] of Object.entries(FLIPS)) {
    it(`option ${key} has its effect`, async (t) => {
      const cluster = await TestCluster.start(t);
      const host = await AppHost.start(
        t,
        kubernetesFiles({ kubeconfig: cluster.file, config: { sources: ['nodes'] } }),
      );
      await eventually(() => cluster.api.watched.join() === 'nodes');
      const watching: Watching = async (config, ...expected) => {
        writeFileSync(join(host.directory, 'config/plugins.yaml'), kubernetesPlugins(config));
        await eventually(() => cluster.api.watched.join() === expected.join());
      };
      await flip(watching, host, cluster.api);
    });
  }

  it('flips every option of its manifest', () => {
    const manifest = JSON.parse(readFileSync('plugins/kubernetes/package.json', 'utf8'));
    assert.deepEqual(Object.keys(FLIPS).sort(), Object.keys(manifest.khook.config.properties).sort());
  });
});
