/** The shipped Kubernetes plugin against a real API server, with the rights that its README names and no others. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { AppHost } from '../support/app-host.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { StandInKubelet } from '../support/cluster/stand-in-kubelet.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { codeBlocks } from '../support/docs.ts';
import { eventually } from '../support/eventually.ts';
import { asked, everyTypeHook, kubernetesFiles } from '../support/kubernetes-host.ts';

const RULES = codeBlocks(readFileSync('plugins/kubernetes/README.md', 'utf8'), 'yaml')[0] ?? '';
const ALREADY_ENDED = { reason: 'OOMKilled', exitCode: 137 };

async function apply(plane: ControlPlane, yaml: string): Promise<void> {
  const { code, stderr } = await plane.kubectl(['apply', '-f', '-'], { input: yaml });
  assert.equal(code, 0, stderr);
}

/** Binds rules to an account: in one namespace, or (empty) in all. */
async function bind(
  plane: ControlPlane,
  account: ServiceAccount,
  to: { rules: string; namespace: string },
): Promise<void> {
  const kind = to.namespace === '' ? 'ClusterRole' : 'Role';
  const name = `${account.name}-${to.namespace || 'all'}`;
  const place = to.namespace === '' ? '' : `, namespace: ${to.namespace}`;
  const rules = to.rules.replace(/^/gm, '  ');
  await apply(
    plane,
    `apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}
metadata: { name: ${name}${place} }
rules:
${rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}Binding
metadata: { name: ${name}${place} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${kind}, name: ${name} }
subjects: [{ kind: ServiceAccount, name: ${account.name}, namespace: ${account.namespace} }]
`,
  );
}

describe('kubernetes plugin in a cluster', { skip: missingTools() }, () => {
  let plane: ControlPlane;
  let kubelet: StandInKubelet;

  before(async () => {
    plane = await ControlPlane.start();
    kubelet = new StandInKubelet(plane.admin);
    await kubelet.register();
    for (const name of ['kagent', 'shop', 'bank']) await plane.createNamespace(name);
  });
  after(() => plane?.stop());

  it('fires each type of event once with the rights of its README, and asks for nothing else', async (t) => {
    const account = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'khook' });
    await bind(plane, account, { rules: RULES, namespace: '' });
    const kubeconfig = await account.kubeconfig();
    const host = await AppHost.start(t, kubernetesFiles({ kubeconfig, hooks: { 'h.yaml': everyTypeHook('shop') } }));
    await eventually(() => host.grep(/Kubernetes event watcher established/).length === 3);

    const finishedAt = new Date().toISOString();
    for (const name of ['hungry', 'looping', 'sick', 'homeless']) await kubelet.runPod({ namespace: 'shop', name });
    await kubelet.setPodStatus({ namespace: 'shop', name: 'hungry' }, [
      {
        restartCount: 1,
        state: { running: { startedAt: finishedAt } },
        lastState: { terminated: { ...ALREADY_ENDED, finishedAt } },
      },
    ]);
    const about = (name: string) => ({ kind: 'Pod', name, namespace: 'shop' });
    const event = await kubelet.writeCoreEvent({
      about: about('looping'),
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
    });
    await kubelet.repeatCoreEvent(event, 2);
    await kubelet.writeCoreEvent({ about: about('sick'), reason: 'Unhealthy', message: 'Readiness probe failed: 503' });
    const pending = await kubelet.writeEvent({
      about: about('homeless'),
      reason: 'FailedScheduling',
      message: '0/1 nodes are available',
    });
    await kubelet.repeatEvent(pending, 3);
    await kubelet.setCondition({ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'silent' });
    await kubelet.writeCoreEvent({
      about: { kind: 'Node', name: 'node-1' },
      type: 'Normal',
      reason: 'NodeNotReady',
      message: 'Node node-1 status is now: NodeNotReady',
    });
    // What `kubectl run test-pod` makes: nothing but Normal Events.
    await kubelet.writeCoreEvent({ about: about('test-pod'), type: 'Normal', reason: 'Pulled', message: 'pulled' });

    const expected = [
      'node-not-ready node-1',
      'oom-kill hungry',
      'pod-pending homeless',
      'pod-restart hungry',
      'pod-restart looping',
      'probe-failed sick',
    ];
    await eventually(() => asked(host).length >= expected.length);
    const { outcomes } = await eventually(async () => {
      const ledger = await host.json<{ inFlight: number; residual: number; outcomes: Record<string, number> }>(
        '/api/v1/ledger',
      );
      return ledger.inFlight === 0 && ledger.residual === 0 && (ledger.outcomes.duplicate ?? 0) >= 3 ? ledger : null;
    });
    assert.deepEqual(asked(host), expected);
    assert.deepEqual([outcomes.delivered, outcomes.duplicate], [6, 3]);
    const requests = plane.requests(account.user);
    assert.ok(requests.length >= 6);
    assert.deepEqual([...new Set(requests.map(({ verb }) => verb))].sort(), ['list', 'watch']);
    assert.deepEqual(
      requests.filter(({ code }) => code >= 400),
      [],
    );
    await kubelet.setCondition({ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' });
  });

  it('names the rule that is missing so that it can be pasted, and goes on where it may', async (t) => {
    const account = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'poor' });
    const core = '- apiGroups: [""]\n  resources: ["pods"]\n  verbs: ["get", "list", "watch"]';
    await bind(plane, account, { rules: core, namespace: 'shop' });
    const kubeconfig = await account.kubeconfig();
    const config = { namespaces: ['shop'], sources: ['events', 'pods', 'nodes'] };
    const hooks = { 'h.yaml': everyTypeHook('shop') };
    const host = await AppHost.start(t, kubernetesFiles({ kubeconfig, config, hooks }));
    const missing = await eventually(() => {
      const lines = host.log.filter(({ msg }) => msg.startsWith('Kubernetes event watcher is not allowed'));
      return lines.length === 2 ? lines.map(({ fields }) => fields as Record<string, string>) : null;
    });
    assert.deepEqual(
      missing.map(({ verb, apiGroup, resource, namespace }) => [verb, apiGroup, resource, namespace]).sort(),
      [
        ['list', '', 'nodes', '(all)'],
        ['list', 'events.k8s.io', 'events', 'shop'],
      ],
    );
    const events = missing.find(({ resource }) => resource === 'events');
    assert.match(
      events?.remedy ?? '',
      /Role in namespace 'shop', with this rule to the service account 'poor' of 'kagent'/,
    );

    // Pods are read all the while.
    await kubelet.runPod({ namespace: 'shop', name: 'worker' });
    const finishedAt = new Date().toISOString();
    await kubelet.setPodStatus({ namespace: 'shop', name: 'worker' }, [
      { state: { terminated: { ...ALREADY_ENDED, finishedAt } } },
    ]);
    await eventually(() => asked(host).includes('oom-kill worker'));

    await bind(plane, account, { rules: `${core}\n${events?.rule}`, namespace: 'shop' });
    await kubelet.writeCoreEvent({
      about: { kind: 'Pod', name: 'late', namespace: 'shop' },
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
    });
    await eventually(() => asked(host).includes('pod-restart late'), 30_000);
  });
});
