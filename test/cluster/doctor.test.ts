/** What the doctor finds between khook and a real API server, with the rights of the chart and with fewer. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Finding } from '../../host/doctor/finding.ts';
import { AppHost } from '../support/app-host.ts';
import { HookPlane, hook } from '../support/cluster/hook-plane.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { khook } from '../support/khook-command.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';

const WATCHING = 'plugins: [{ name: kubernetes, permissions: { kubernetes: true } }]';
const BUNDLES = { kubernetes: 'plugins/kubernetes' };

const CONTAINER = { name: 'khook', image: 'khook', imageID: '', ready: true, restartCount: 0, state: { running: {} } };

function podOf(name: string, containerPort: number) {
  const labels = { 'app.kubernetes.io/name': 'khook', 'khook.kagent.dev/leader': 'true' };
  const containers = [{ name: 'khook', image: 'khook', ports: [{ name: 'metrics', containerPort }] }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'kagent', labels }, spec: { containers } };
}

/** Of this machine, other than loopback: an API server does not speak to a pod there. */
function address(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

function noAddress(): string | false {
  return address() === undefined ? 'this machine has no address but loopback' : false;
}

async function findings(host: AppHost): Promise<readonly Finding[]> {
  return (await host.json<{ findings: readonly Finding[] }>('/api/v1/doctor')).findings;
}

function first(host: AppHost, code: string): Promise<Finding> {
  return eventually(async () => {
    const [found, ...rest] = await findings(host);
    assert.equal(found?.code, code, JSON.stringify([found, ...rest]));
    return found;
  }, 30_000);
}

describe('khook doctor and a real API server', { skip: missingTools() }, () => {
  let cluster: HookPlane;
  let agent: MisbehavingAgent;
  before(async () => {
    cluster = await HookPlane.start();
    agent = await MisbehavingAgent.start();
    await cluster.apply(hook('shop', 'well'));
  });
  after(async () => {
    await agent?.stop();
    await cluster?.stop();
  });

  const flags = (): string[] => ['--agent-url', agent.url];

  /** With its plugins.yaml in the ConfigMap as well, as a kubelet has it. */
  async function start(t: TestContext, plugins = WATCHING, more: readonly string[] = []): Promise<AppHost> {
    await configMap({ 'plugins.yaml': plugins });
    const files = { bundles: BUNDLES, plugins, flags: [...flags(), ...more] };
    return AppHost.start(t, await cluster.files(files));
  }

  function configMap(data: Record<string, string>): Promise<void> {
    const metadata = { name: 'plugin-config', namespace: 'kagent' };
    return cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  }

  it('finds nothing with the rights of the chart', async (t) => {
    const host = await start(t);
    await host.plugin('kubernetes', 'running');
    assert.deepEqual(await eventually(async () => ((await findings(host)).length === 0 ? [] : null)), []);
  });

  it('names each verb that RBAC does not allow, with the rule to add', async (t) => {
    const poor = await ServiceAccount.of(cluster.plane, { namespace: 'kagent', name: 'poor-doctor' });
    const rules = [{ apiGroups: ['kagent.dev'], resources: ['hooks'], verbs: ['get', 'list', 'watch'] }];
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const name = 'poor-doctor';
    const subjects = [{ kind: 'ServiceAccount', namespace: 'kagent', name }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    await cluster.apply(
      { apiVersion, kind: 'ClusterRole', metadata: { name }, rules },
      { apiVersion, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects },
    );
    const env = { KUBECONFIG: await poor.kubeconfig(), POD_NAMESPACE: 'kagent' };
    const host = await AppHost.start(t, {
      ...{ bundles: BUNDLES, plugins: WATCHING, env },
      flags: ['--hooks', 'cluster', ...flags()],
    });
    const { problem, paste } = await first(host, 'RBAC');
    assert.equal(problem, 'khook may not patch hooks/status in the whole cluster.');
    assert.equal(paste, '- apiGroups: ["kagent.dev"]\n  resources: ["hooks/status"]\n  verbs: ["patch"]');
    const said = (await findings(host)).filter(({ code }) => code === 'RBAC').map((found) => found.problem);
    assert.deepEqual(said, [
      'khook may not patch hooks/status in the whole cluster.',
      'khook may not create, patch, list, watch events in the whole cluster.',
      'khook may not list, watch pods in the whole cluster.',
      'khook may not list, watch nodes in the whole cluster.',
    ]);
  });

  it('looks at the pods from a laptop, and lets the one that leads speak', { skip: noAddress() }, async (t) => {
    const env = { KUBECONFIG: cluster.plane.kubeconfig };
    const ask = async (): Promise<{ code: number | null; findings: Finding[] }> => {
      const { code, stdout, stderr } = await khook(['doctor', '--cluster', '--json'], process.cwd(), env);
      assert.notEqual(stdout, '', stderr);
      return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
    };
    assert.deepEqual(
      (await ask()).findings.map(({ code }) => code),
      ['POD_MISSING'],
    );
    const disabled = WATCHING.replace('{ name', '{ enabled: false, name');
    const host = await start(t, disabled, ['--listen-address', '0.0.0.0']);
    const pod = podOf('khook-7', host.app.ports.metrics);
    await cluster.apply(pod);
    const path = `/api/v1/namespaces/kagent/pods/${pod.metadata.name}/status`;
    const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 40s' };
    await cluster.plane.admin.patch(path, {
      status: { phase: 'Running', containerStatuses: [{ ...CONTAINER, restartCount: 4, state: { waiting } }] },
    });
    const [failing] = (await ask()).findings;
    assert.equal(failing?.code, 'POD_FAILING');
    assert.match(failing.evidence.join(), /container khook: CrashLoopBackOff, restarted 4 times: back-off 40s/);
    const conditions = [{ type: 'Ready', status: 'True' }];
    const podIP = address();
    await cluster.plane.admin.patch(path, {
      status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions, containerStatuses: [CONTAINER] },
    });
    const { code, findings: told } = await ask();
    assert.deepEqual(
      told.map((finding) => finding.code),
      ['PLUGIN_DISABLED'],
      JSON.stringify(told),
    );
    assert.equal(code, 2);
  });

  it('says when the ConfigMap has what the mounted file has not', async (t) => {
    const host = await start(t);
    await host.plugin('kubernetes', 'running');
    const data = { 'plugins.yaml': 'plugins:\n  - name: kubernetes\n    debug: true\n' };
    await configMap(data);
    const { problem, evidence } = await first(host, 'CONFIG_NOT_MOUNTED');
    assert.equal(problem, 'ConfigMap kagent/plugin-config says something else than the file that khook reads.');
    assert.deepEqual(evidence, ['line 1: the ConfigMap has `plugins: …`, the file has `plugins: …`']);
    // What a kubelet does a minute later.
    writeFileSync(join(host.directory, 'config/plugins.yaml'), data['plugins.yaml']);
    await eventually(async () => !(await findings(host)).some(({ code }) => code === 'CONFIG_NOT_MOUNTED'), 30_000);
  });
});
