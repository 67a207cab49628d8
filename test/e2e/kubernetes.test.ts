/** The shipped Kubernetes plugin in its thread, under its limits, behind a real host: from objects of a cluster to calls of an agent. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { EventObject } from '../../plugins/kubernetes/event-object.ts';
import { eventObject, nodeObject, podObject, secondsAgo } from '../plugins/kubernetes/support.ts';
import type { ApiServer } from '../support/api-server.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { asked, type KubernetesFiles, kubernetesFiles, kubernetesPlugins } from '../support/kubernetes-host.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { type HostFiles, RunningHost } from '../support/running-host.ts';
import { TestCluster } from '../support/test-cluster.ts';

function files({ file: kubeconfig }: TestCluster, given: Partial<KubernetesFiles> = {}): HostFiles {
  return kubernetesFiles({ kubeconfig, ...given });
}

/** The child of the keeper. */
function hostOf(keeper: number): number {
  return Number(readFileSync(`/proc/${keeper}/task/${keeper}/children`, 'utf8').trim().split(' ')[0]);
}

async function settled(host: AppHost): Promise<Record<string, number>> {
  return eventually(async () => {
    const ledger = await host.json<{ inFlight: number; residual: number; outcomes: Record<string, number> }>(
      '/api/v1/ledger',
    );
    return ledger.inFlight === 0 && ledger.residual === 0 ? ledger.outcomes : null;
  });
}

const ended = (reason: string, exitCode = 1, seconds = 0) => ({
  terminated: { reason, exitCode, finishedAt: secondsAgo(seconds) },
});

/** One of each kind, as a kubelet, a scheduler and a node controller would write them. */
function trouble(api: ApiServer): void {
  const put = (fields: Partial<EventObject>, namespace = 'shop'): void => {
    const uid = `${fields.regarding?.name}-${fields.reason}`;
    api.put(eventObject(uid, { regarding: { kind: 'Pod', name: 'looping' }, ...fields }, { namespace }));
  };
  api.put(podObject('looping', [{ restartCount: 1, lastState: ended('Error') }]), 'pods');
  put({ reason: 'BackOff' });
  api.put(podObject('hungry', [{ restartCount: 1, lastState: ended('OOMKilled', 137) }]), 'pods');
  put({ regarding: { kind: 'Pod', name: 'sick' }, reason: 'Unhealthy', note: 'Liveness probe failed: 503' });
  const conditions = [
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: secondsAgo(0) },
  ];
  api.put(podObject('homeless', [], { phase: 'Pending', conditions }), 'pods');
  put({ regarding: { kind: 'Pod', name: 'homeless' }, reason: 'FailedScheduling', note: '0/3 nodes are available' });
  api.put(nodeObject('n1', { status: 'Unknown', since: secondsAgo(0), reason: 'NodeStatusUnknown' }), 'nodes');
  const node = { kind: 'Node', name: 'n1' };
  put(
    { regarding: node, type: 'Normal', reason: 'NodeNotReady', note: 'Node n1 status is now: NodeNotReady' },
    'default',
  );
}

const TROUBLE = [
  'node-not-ready n1',
  'oom-kill hungry',
  'pod-pending homeless',
  'pod-restart hungry',
  'pod-restart looping',
  'probe-failed sick',
];

describe('kubernetes plugin', () => {
  it('calls the agent once for each fact, whichever source told it, and however often', async (t) => {
    const cluster = await TestCluster.start(t);
    const host = await AppHost.start(t, files(cluster));
    await host.plugin('kubernetes', 'running');
    await eventually(() => cluster.api.openWatches === 3);
    trouble(cluster.api);
    await eventually(() => asked(host).length >= TROUBLE.length);
    // The same facts once more, by a relist.
    cluster.api.faults = { ...cluster.api.faults, closeWatchAfterMs: 1 };
    cluster.api.compact();
    cluster.api.closeWatches();
    cluster.api.faults = { tokens: ['token-1'] };
    await eventually(() => cluster.api.openWatches === 3);
    const outcomes = await settled(host);
    assert.deepEqual(asked(host), TROUBLE);
    assert.deepEqual([outcomes.delivered, outcomes.duplicate], [6, 3]);
  });

  it('tells after a recycle what it has told before, and nobody is called twice, though the window is over', async (t) => {
    const cluster = await TestCluster.start(t);
    const host = await AppHost.start(
      t,
      files(cluster, { plugins: kubernetesPlugins({}, { dedup: { window: '4s' } }) }),
    );
    await eventually(() => cluster.api.openWatches === 3);
    trouble(cluster.api);
    await eventually(async () => (await settled(host)).duplicate === 3);
    assert.deepEqual(asked(host), TROUBLE);
    const began = Date.now();
    // The window, and the second that Kubernetes cuts off the time at which something happened.
    await eventually(() => Date.now() - began > 5_100);
    const url = `http://127.0.0.1:${host.app.ports.admin}/api/v1/plugins/kubernetes/restart`;
    const restarted = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    assert.equal(restarted.status, 200);
    await eventually(async () => (await settled(host)).duplicate === 12);
    assert.deepEqual(asked(host), TROUBLE);
    // What happens after the window is news.
    cluster.api.put(podObject('looping', [{ restartCount: 2, lastState: ended('Error') }]), 'pods');
    await eventually(() => asked(host).filter((each) => each === 'pod-restart looping').length === 2);
  });

  it('loses nothing and doubles nothing when the host is killed in a burst while watches are cut', async (t) => {
    const cluster = await TestCluster.start(t);
    // An agent of its own: the embedded one would die with the host, and forget what it was asked.
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const host = await RunningHost.start(t, files(cluster, { flags: ['--data', 'data', '--agent-url', agent.url] }));
    await host.plugin('kubernetes', 'running');
    cluster.api.faults = { ...cluster.api.faults, closeWatchAfterMs: 200, isAbrupt: true };
    const pods = 300;
    const killed: number[] = [];
    for (let n = 0; n < pods; n += 1) {
      cluster.api.put(eventObject(`burst-${n}`, { regarding: { kind: 'Pod', name: `pod-${n}` } }));
      if (n === 100 || n === 200) {
        // In the middle of what it is doing; the next ones happen while it is away.
        await eventually(() => agent.taken.size > n / 2);
        killed.push(hostOf(host.pid));
        process.kill(killed.at(-1) ?? 0, 'SIGKILL');
        await eventually(() => cluster.api.openWatches === 0);
        cluster.api.compact();
      }
      if (n === 150) await eventually(() => cluster.api.openWatches === 3, 30_000);
    }
    assert.equal(new Set(killed).size, 2);
    // A message that was sent as the host died may come again, under the same messageId: it is one call.
    const asked = (): string[] => {
      const byId = new Map(agent.sends.map(({ messageId, text }) => [messageId, text.split('\n')[0] ?? '']));
      return [...byId.values()].sort();
    };
    await eventually(() => asked().length >= pods, 60_000);
    assert.deepEqual(asked(), Array.from({ length: pods }, (_, n) => `pod-restart pod-${n}`).sort());
  });

  it('holds nothing of a large cluster but what happened of late, in a process of its own as well', async (t) => {
    const cluster = await TestCluster.start(t);
    const managedFields = Array.from({ length: 10 }, (_, n) => ({ manager: `m${n}`, fieldsV1: 'x'.repeat(900) }));
    for (let n = 0; n < 5_000; n += 1) {
      const pod = podObject(`pod-${n}`, [{ restartCount: 1, lastState: ended('Error', 1, n < 100 ? 60 : 86_400) }]);
      cluster.api.put({ ...pod, metadata: { ...pod.metadata, managedFields } }, 'pods');
    }
    for (const isolation of ['thread', 'process']) {
      const entry = { name: 'kubernetes', isolation, permissions: { kubernetes: true }, limits: { memoryMb: 40 } };
      const host = await AppHost.start(t, files(cluster, { plugins: JSON.stringify({ plugins: [entry] }) }));
      const agents = 'khook_event_outcomes_total{plugin="kubernetes",outcome="delivered"}';
      await eventually(async () => (await host.metric(agents)) === 100, 60_000);
      assert.equal(
        (await host.plugin('kubernetes', 'running')).generation,
        1,
        host.grep(/plugin kubernetes failed/).join(),
      );
      await host.app.stop('the next one');
    }
  });

  it('shows that it sees a cluster in which nothing is wrong', async (t) => {
    const cluster = await TestCluster.start(t);
    const host = await AppHost.start(t, files(cluster));
    await eventually(() => cluster.api.openWatches === 3);
    // What `kubectl run test-pod` makes.
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) {
      const regarding = { kind: 'Pod', name: 'test-pod' };
      cluster.api.put(eventObject(reason, { type: 'Normal', reason, regarding }, { namespace: 'default' }));
    }
    const line = await eventually(() => host.log.find(({ msg }) => msg.includes('of no concern')));
    assert.equal(line.msg, 'Kubernetes event watcher saw 4 events that are of no concern: 4 normal');
    assert.deepEqual(line.fields, { normal: 4, latest: 'Normal Started of Pod default/test-pod' });
    for (const word of ['started', 'established', 'saw']) {
      const found = host.grep(/kubernetes.*watcher/i).filter((each) => each.includes(`watcher ${word}`));
      assert.ok(found.length > 0, word);
    }
  });
});
