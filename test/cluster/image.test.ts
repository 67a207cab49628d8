/** khook as the chart installs it, against a real API server, with the service account and the rights of the chart and no others. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiObject } from '../support/cluster/api-client.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { StandInKubelet } from '../support/cluster/stand-in-kubelet.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { missingNamespaces } from '../support/container.ts';
import { eventually } from '../support/eventually.ts';
import { CHART, type Manifest } from '../support/helm.ts';
import { buildTree, freePorts, KhookContainer } from '../support/khook-container.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('image in a cluster', { skip: missingNamespaces() || missingTools() }, () => {
  const tree = tempDir({ after: (remove) => after(remove as () => void) });
  let plane: ControlPlane;
  before(async () => {
    buildTree(tree);
    plane = await ControlPlane.start();
    for (const name of ['kagent', 'shop']) await plane.createNamespace(name);
  });
  after(() => plane?.stop());

  it('sees what happens in every namespace, and is refused nothing that it asks for', async (t) => {
    const [metrics = 0, health = 0, webhook = 0] = await freePorts(3);
    const values = [
      ...['leaderElection.enabled=false', 'kagent.apiUrl=http://127.0.0.1:9'],
      ...[`metrics.port=${metrics}`, `health.port=${health}`, `webhook.port=${webhook}`],
    ];
    const installed = await plane.helm(['install', 'khook', CHART, '-n', 'kagent', '--set', values.join(',')]);
    assert.equal(installed.code, 0, installed.stderr);
    const get = (path: string): Promise<ApiObject> => plane.admin.get(path);
    const objects = [
      { ...(await get('/apis/apps/v1/namespaces/kagent/deployments/khook')), kind: 'Deployment' },
      { ...(await get('/api/v1/namespaces/kagent/configmaps/plugin-config')), kind: 'ConfigMap' },
      { ...(await get('/api/v1/namespaces/kagent/configmaps/event-mappings')), kind: 'ConfigMap' },
    ] as unknown as Manifest[];
    const account = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'khook' });
    const { container } = await KhookContainer.start(t, {
      tree,
      objects,
      cluster: { host: '127.0.0.1', port: plane.port, ca: plane.ca, token: await account.token() },
    });
    await eventually(async () => {
      const ready = await fetch(`http://127.0.0.1:${health}/readyz`);
      assert.ok(ready.ok, container.lines.join('\n'));
      return true;
    }, 30_000);

    const kubelet = new StandInKubelet(plane.admin);
    const about = { kind: 'Pod', name: 'web-0', namespace: 'shop' };
    await kubelet.writeCoreEvent({ about, reason: 'BackOff', message: 'Back-off restarting failed container' });
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${metrics}/api/v1/events?plugin=kubernetes`);
      const { events } = (await answer.json()) as {
        events: { type: string; resourceName: string; namespace: string }[];
      };
      return events.some((event) => event.resourceName === 'web-0' && event.type === 'pod-restart');
    });
    const denied = plane.requests(account.user).filter(({ code }) => code === 401 || code === 403);
    assert.deepEqual(denied, []);
    container.signal('SIGTERM');
    assert.equal(await container.exit, 0);
  });
});
