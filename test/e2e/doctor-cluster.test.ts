/** Faults between a host and its cluster, against an API server that shows them when it is told to. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { FindingCode } from '../../host/doctor/finding.ts';
import { ApiServer, type Faults } from '../support/api-server.ts';
import type { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { tempDir } from '../support/temp-dir.ts';
import { findingsOf, healthy } from './doctor-support.ts';

interface InCluster {
  readonly host: AppHost;
  readonly server: ApiServer;
}

const HOOK = {
  apiVersion: 'kagent.dev/v1alpha2',
  kind: 'Hook',
  metadata: { name: 'h', namespace: 'default', uid: 'hook-1', generation: 1 },
  spec: { eventConfigurations: [{ eventType: 'happened', agentRef: { name: 'a' }, prompt: 'look' }] },
};

async function inCluster(t: TestContext, env: Record<string, string> = {}, born: Faults = {}): Promise<InCluster> {
  const server = new ApiServer();
  server.faults = born;
  const connection = await server.open();
  server.put(HOOK, 'hooks');
  const KUBECONFIG = join(tempDir(t), 'config');
  const config = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server: connection.server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token: 'x' } }],
  };
  writeFileSync(KUBECONFIG, JSON.stringify(config));
  const host = await healthy(t, { env: { KUBECONFIG, ...env }, flags: ['--hooks', 'cluster'] });
  t.after(() => server.close());
  await eventually(async () => (await host.json<{ hooks: unknown[] }>('/api/v1/hooks')).hooks.length === 1);
  return { host, server };
}

interface ClusterFault {
  readonly what: string;
  readonly code: FindingCode;
  readonly says: RegExp;
  /** From the beginning, and from when it was well. */
  readonly born?: Faults;
  readonly faults?: Faults;
  readonly env?: Record<string, string>;
}

const FAULTS: readonly ClusterFault[] = [
  {
    what: 'a right to list Hooks that is missing',
    code: 'RBAC',
    says: /may not list, watch hooks in the whole cluster[\s\S]*resources: \["hooks"\]/,
    faults: { denied: ['list hooks', 'watch hooks'] },
  },
  {
    what: 'a right to write the status of Hooks that is missing',
    code: 'RBAC',
    says: /may not patch hooks\/status[\s\S]*verbs: \["patch"\]/,
    faults: { denied: ['patch hooks/status'] },
  },
  {
    what: 'a right to write Events that is missing',
    code: 'RBAC',
    says: /may not create events/,
    faults: { denied: ['create events'] },
  },
  {
    what: 'a clock that is wrong',
    code: 'CLOCK',
    says: /60 min behind/,
    faults: { clockAheadMs: 3_600_000 },
  },
  {
    what: 'an API server that answers nothing but errors',
    code: 'API_SERVER',
    says: /503|not now/,
    faults: { status: 503 },
  },
  {
    what: 'a lease that may not be read',
    code: 'LEASE',
    says: /leases/,
    env: { LEADER_ELECTION: 'true', POD_NAMESPACE: 'kagent' },
    born: { forbidden: ['khook'] },
  },
];

describe('khook doctor in a cluster', () => {
  it('finds nothing where nothing is wrong, and asks for each right', async (t) => {
    const { host, server } = await inCluster(t);
    await host.plugin('puppet', 'running');
    assert.deepEqual(await findingsOf(host), []);
    const asked = server.requestsOf('write').filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'));
    const rights = asked.map(({ body }) => {
      const { spec } = body as { spec: { resourceAttributes: Record<string, string> } };
      const { verb, resource, subresource } = spec.resourceAttributes;
      return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
    });
    assert.deepEqual(rights.sort(), [
      'create events',
      'list hooks',
      'patch events',
      'patch hooks/status',
      'watch hooks',
    ]);
  });

  for (const { what, code, says, faults, env, born } of FAULTS) {
    it(`names the cause first of ${what}`, async (t) => {
      const cluster = await inCluster(t, env, born);
      if (faults !== undefined) cluster.server.faults = faults;
      const found = await eventually(async () => {
        const [first] = await findingsOf(cluster.host);
        assert.equal(first?.code, code, JSON.stringify(await findingsOf(cluster.host)));
        return first;
      }, 30_000);
      const { problem, evidence, cause, fix, paste } = found;
      assert.match([problem, ...evidence, cause, fix, paste].join('\n'), says);
    });
  }
});
