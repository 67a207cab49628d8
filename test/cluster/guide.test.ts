/**
 * What a troubleshooting guide asks the cluster itself: real kubectl and a real API server with khook's chart in it, and a host with the
 * rights of the chart. What it asks the log and the ports is in test/e2e/guide.test.ts.
 */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { HookPlane, hook } from '../support/cluster/hook-plane.ts';
import { StandInKubelet } from '../support/cluster/stand-in-kubelet.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { codeBlocks, readDoc } from '../support/docs.ts';
import { eventually } from '../support/eventually.ts';
import { CHART } from '../support/helm.ts';
import { khook } from '../support/khook-command.ts';
import { kubernetesPlugins } from '../support/kubernetes-host.ts';
import { tempDir } from '../support/temp-dir.ts';

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

describe('kubectl of the guide', { skip: missingTools() }, () => {
  let cluster: HookPlane;
  let kubelet: StandInKubelet;

  before(async () => {
    cluster = await HookPlane.start();
    kubelet = new StandInKubelet(cluster.plane.admin);
    await kubelet.register();
  });
  after(() => cluster?.stop());

  /** A command line of the guide, as it stands there; what it prints. */
  async function kubectl(line: string): Promise<string> {
    const { code, stdout, stderr } = await cluster.plane.kubectl(line.split(' '));
    assert.equal(code, 0, `kubectl ${line}: ${stderr}`);
    return stdout;
  }

  it('shows the ConfigMaps of the configuration, which khook finds good', async (t) => {
    const listed = await kubectl('get configmaps -n kagent');
    assert.match(listed, /^event-mappings\s+1\s/m);
    assert.match(listed, /^plugin-config\s+1\s/m);

    const folder = tempDir(t);
    mkdirSync(join(folder, 'hooks'));
    for (const [name, key] of [
      ['plugin-config', 'plugins.yaml'],
      ['event-mappings', 'event-mappings.yaml'],
    ] as const) {
      const { data } = parse(await kubectl(`get configmap ${name} -n kagent -o yaml`)) as ConfigMap;
      writeFileSync(join(folder, key), data[key] ?? '');
    }
    const args = ['--config', folder, '--hooks', join(folder, 'hooks'), '--plugins', resolve('plugins')];
    const { code, stdout } = await khook(['check', ...args], folder);
    assert.match(stdout, /^webhook .* would run/m);
    assert.equal(code, 0);
  });

  it('says yes to the question for rights, by both names of Events', async () => {
    for (const resource of ['events', 'events.events.k8s.io']) {
      const answer = await kubectl(`auth can-i list ${resource} --as=system:serviceaccount:kagent:khook`);
      assert.equal(answer, 'yes\n');
    }
    const { code, stdout } = await cluster.plane.kubectl(
      'auth can-i list events --as=system:serviceaccount:kagent:nobody'.split(' '),
    );
    assert.deepEqual([code, stdout], [1, 'no\n']);
  });

  it('sees a test pod come, fail and go, and what became of its Hook', async (t) => {
    await cluster.apply(hook('default', 'pod-monitoring'));
    await kubectl('run test-pod --image=nginx --restart=Never');
    const host = await cluster.host(t, {
      plugins: kubernetesPlugins(),
      mappings: 'mappings: [{ eventSource: kubernetes, eventType: pod-restart, internalType: PodRestart }]',
      bundles: { kubernetes: 'plugins/kubernetes' },
    });
    await host.plugin('kubernetes', 'running');
    await kubelet.writeCoreEvent({
      about: { kind: 'Pod', name: 'test-pod', namespace: 'default' },
      reason: 'BackOff',
      message: 'Back-off restarting failed container main in pod test-pod',
    });
    assert.match(await kubectl('get events --sort-by=.lastTimestamp'), /Warning\s+BackOff\s+pod\/test-pod\s/);
    assert.match(await kubectl('get events -n default'), /BackOff\s+pod\/test-pod/);

    assert.ok(host.grep(/kubernetes.*watcher/i).length > 0);
    const agentSaw = await eventually(() => host.grep(/Embedded agent was sent a prompt/)[0]);
    assert.match(agentSaw, /Look at test-pod/);
    await eventually(async () => /^default\s+pod-monitoring\s+True\s+1\s/m.test(await kubectl('get hooks -A')));
    const described = await eventually(async () => {
      const text = await kubectl('describe hook pod-monitoring -n default');
      return text.includes('AgentCallSuccess') ? text : null;
    }, 20_000);
    assert.match(described, /Event Type:\s+pod-restart/);
    assert.match(described, /Reason:\s+HookConfigured/);
    assert.match(described, /Normal\s+EventFiring\s.*test-pod/);
    await kubectl('delete pod test-pod --grace-period=0 --force');
  });

  it('names the Hook that cannot be used, and why', async (t) => {
    await cluster.apply(hook('shop', 'broken', { filter: 'event.nmae == "x"' }));
    await cluster.host(t);
    await eventually(async () => /^shop\s+broken\s+False\s/m.test(await kubectl('get hooks -A')));
    assert.match(await kubectl('describe hook broken -n shop'), /Reason:\s+InvalidFilter/);
  });

  it('writes Hooks out as khook reads them from a file', async (t) => {
    await cluster.apply(hook('shop', 'kept'));
    const folder = tempDir(t);
    mkdirSync(join(folder, 'hooks'));
    writeFileSync(join(folder, 'hooks/hooks.yaml'), await kubectl('get hooks -A -o yaml'));
    const args = ['--config', folder, '--hooks', join(folder, 'hooks'), '--plugins', join(folder, 'plugins')];
    const { stdout, stderr } = await khook(['check', ...args], folder);
    assert.match(stdout, /\d Hooks/, stderr);
    assert.doesNotMatch(stderr, /hooks\.yaml.*kept/);
  });

  it('grants what is missing with the rule that the page shows', async () => {
    const shown =
      codeBlocks(readDoc('troubleshooting.md'), 'yaml').find((block) => block.includes('ClusterRole')) ?? '';
    const input = shown.replaceAll('khook', 'newcomer');
    assert.equal((await cluster.plane.kubectl(['apply', '-f', '-'], { input })).code, 0);
    for (const verb of ['get', 'list', 'watch']) {
      await eventually(async () =>
        (
          await kubectl(`auth can-i ${verb} events.events.k8s.io --as=system:serviceaccount:kagent:newcomer`)
        ).startsWith('yes'),
      );
    }
  });

  async function logLevel(): Promise<unknown> {
    const deployment = parse(await kubectl('get deployment khook -n kagent -o yaml')) as {
      spec: { template: { spec: { containers: { name: string; env: { name: string; value?: string }[] }[] } } };
    };
    const container = deployment.spec.template.spec.containers.find(({ name }) => name === 'khook');
    return container?.env.filter(({ name }) => name === 'LOG_LEVEL');
  }

  it('sets the log level of the Deployment, and of nothing else', async () => {
    await kubectl('set env deployment/khook -n kagent LOG_LEVEL=debug');
    assert.deepEqual(await logLevel(), [{ name: 'LOG_LEVEL', value: 'debug' }]);
    // Helm 4 applies on the server, where kubectl owns the field now.
    const upgrade = ['upgrade', 'khook', CHART, '-n', 'kagent'];
    assert.match((await cluster.plane.helm(upgrade)).stderr, /conflict with "kubectl-set"/);
    assert.equal((await cluster.plane.helm([...upgrade, '--force-conflicts'])).code, 0);
    assert.deepEqual(await logLevel(), [{ name: 'LOG_LEVEL', value: 'info' }]);
  });

  it('edits the configuration, which helm upgrade puts back when it is told to', async () => {
    const data = { 'plugins.yaml': 'plugins: []\n' };
    const patch = [
      'patch',
      'configmap',
      'plugin-config',
      '-n',
      'kagent',
      '--type=merge',
      '-p',
      JSON.stringify({ data }),
    ];
    assert.equal((await cluster.plane.kubectl(patch)).code, 0);
    const upgrade = ['upgrade', 'khook', CHART, '-n', 'kagent'];
    assert.match((await cluster.plane.helm(upgrade)).stderr, /conflict with "kubectl-patch"/);
    assert.equal((await cluster.plane.helm([...upgrade, '--force-conflicts'])).code, 0);
    const map = parse(await kubectl('get configmap plugin-config -n kagent -o yaml')) as ConfigMap;
    assert.match(map.data['plugins.yaml'] ?? '', /- name: webhook/);
  });
});
