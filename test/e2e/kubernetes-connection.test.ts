/** The connection of the Kubernetes plugin, renewed by the host while it is in use. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiServer } from '../support/api-server.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { kubernetesFiles } from '../support/kubernetes-host.ts';
import { TestCluster } from '../support/test-cluster.ts';

describe('kubernetes connection', () => {
  it('goes on with a token that is renewed, before and after the old one is refused', async (t) => {
    const cluster = await TestCluster.start(t);
    const host = await AppHost.start(t, kubernetesFiles({ kubeconfig: cluster.file }));
    await eventually(() => cluster.api.openWatches === 3);
    cluster.grant('token-2');
    cluster.api.closeWatches();
    // The plugin is refused, asks the host, and has the new one long before the host would have looked by itself.
    await eventually(() => cluster.api.openWatches === 3, 8_000);
    assert.equal(cluster.api.requests.at(-1)?.authorization, 'Bearer token-2');
    assert.equal(host.grep(/Connection to https:.* renewed: token/).length, 1);
    assert.equal((await host.plugin('kubernetes', 'running')).generation, 1);
    assert.equal(host.grep(/watcher is not allowed/).length, 0);
    assert.equal(host.grep(/token-[12]/).length, 0, 'a token is never logged');
  });

  it('follows an API server that gets another address', async (t) => {
    const cluster = await TestCluster.start(t);
    const host = await AppHost.start(t, kubernetesFiles({ kubeconfig: cluster.file }));
    await eventually(() => cluster.api.openWatches === 3);
    const other = new ApiServer();
    const { server } = await other.open();
    t.after(() => other.close());
    writeFileSync(
      cluster.file,
      readFileSync(cluster.file, 'utf8')
        .replace(/"server":"[^"]+"/, `"server":"${server}","insecure-skip-tls-verify":true`)
        .replace(/"certificate-authority-data":"[^"]+"/, '"extensions":[]'),
    );
    await eventually(() => other.openWatches === 3);
    assert.equal(host.grep(/plugin kubernetes stopped: the API server has another address/).length, 1);
    await eventually(() => cluster.api.openWatches === 0);
  });

  it('starts when there is a cluster at last', async (t) => {
    const cluster = await TestCluster.start(t);
    const file = join(cluster.file, '../later');
    const host = await AppHost.start(t, kubernetesFiles({ kubeconfig: file }));
    await host.plugin('kubernetes', 'blocked(connection)');
    writeFileSync(file, readFileSync(cluster.file, 'utf8'));
    await eventually(() => cluster.api.openWatches === 3);
    await host.plugin('kubernetes', 'running');
  });
});
