/** What the chart renders, held against a real API server without changing anything there. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FLIPS, nested } from '../deploy/chart-flips.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { dryRunPath } from '../support/cluster/kinds.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { render } from '../support/helm.ts';

describe('objects of the chart', { skip: missingTools() }, () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await ControlPlane.start();
    for (const name of ['kagent', 'shop', 'monitoring']) await plane.createNamespace(name);
    for (const [kind, plural] of [
      ['ServiceMonitor', 'servicemonitors'],
      ['PrometheusRule', 'prometheusrules'],
    ] as const) {
      await plane.admin.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', stub(kind, plural));
    }
    await eventually(() => plane.admin.get('/apis/monitoring.coreos.com/v1/prometheusrules'));
    await eventually(() => plane.admin.get('/apis/monitoring.coreos.com/v1/servicemonitors'));
  });
  after(() => plane?.stop());

  it('are valid for each value that is not the default, and for many at once', async () => {
    const sets = Object.entries(FLIPS).map(([path, { to, given = {} }]) => ({ ...given, [path]: to }));
    const many = {
      ...{ replicaCount: 3, watchNamespaces: ['kagent', 'shop'], 'metrics.serviceMonitor.enabled': true },
      ...{ 'metrics.prometheusRule.enabled': true, 'networkPolicy.enabled': true, 'rbac.aggregate': true },
      ...{ 'webhook.auth': 'signature', 'webhook.existingSecret': 'a', 'webhook.service.type': 'LoadBalancer' },
      'bundles.images': [{ name: 'a', image: 'example.com/a:1', path: '/b', pullPolicy: 'Always', command: ['true'] }],
      imagePullSecrets: [{ name: 'a' }, 'b'],
      ...{ 'bundles.configMaps': ['b', 'c'], 'bundles.existingClaim': 'd' },
    };
    const seen = new Set<string>();
    for (const flat of [{}, many, ...sets]) {
      for (const object of await render(nested(flat))) {
        const text = JSON.stringify(object);
        if (seen.has(text)) continue;
        seen.add(text);
        const asRendered = { ...object, metadata: { namespace: 'kagent', ...object.metadata } };
        const isWide = object.kind.startsWith('ClusterRole');
        await assert.doesNotReject(
          plane.admin.create(dryRunPath(isWide ? object : asRendered), object),
          JSON.stringify(flat),
        );
      }
    }
    assert.ok(seen.size > 100, `${seen.size} different objects`);
  });

  it('make pods that the strictest of the Pod Security Standards lets in', async () => {
    const metadata = { name: 'strict', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
    await plane.admin.create('/api/v1/namespaces', { metadata });
    await plane.admin.create('/api/v1/namespaces/strict/serviceaccounts', { metadata: { name: 'khook' } });
    const pods = '/api/v1/namespaces/strict/pods?dryRun=All&fieldValidation=Strict';
    const bundles = { images: [{ name: 'a', image: 'example.com/a:1' }], configMaps: ['b'] };
    for (const values of [{}, { bundles }]) {
      const deployment = (await render(values)).find(({ kind }) => kind === 'Deployment');
      assert.ok(deployment);
      const { spec } = (deployment.spec as { template: { spec: object } }).template;
      await plane.admin.create(pods, { metadata: { name: 'khook' }, spec });
    }
    const spec = { serviceAccountName: 'khook', containers: [{ name: 'a', image: 'example.com/a:1' }] };
    await assert.rejects(plane.admin.create(pods, { metadata: { name: 'other' }, spec }), /violates PodSecurity/);
  });
});

/** In place of the operator's own definition, which is not here: the API server takes whatever stands in the objects. */
function stub(kind: string, plural: string): unknown {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
