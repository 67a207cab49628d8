import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HookPlane, hook, restart } from '../support/cluster/hook-plane.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

describe('Hooks of a real cluster', { skip: missingTools() }, () => {
  let cluster: HookPlane;
  before(async () => {
    cluster = await HookPlane.start();
  });
  after(() => cluster?.stop());

  it('fire, and show what became of it in status, columns and Events', async (t) => {
    await cluster.apply(hook('shop', 'first'));
    const host = await cluster.host(t);
    await eventually(async () => (await cluster.status('shop', 'first')).conditions?.[0]?.status === 'True');
    const { id } = await host.emit(restart('shop', 'api-1'));
    assert.equal((await host.emit(restart('shop', 'api-1'))).outcome, 'duplicate');
    const status = await eventually(async () => {
      const read = await cluster.status('shop', 'first');
      return read.activeEvents?.[0]?.lastNotified === undefined ? null : read;
    });
    assert.equal(status.activeEventCount, 1);
    assert.equal(status.activeEvents?.[0]?.dedupKey, '["shop/first","kubernetes","PodRestart","shop","api-1"]');
    assert.deepEqual(
      status.conditions?.map(({ type, status: value, reason }) => [type, value, reason]),
      [
        ['Ready', 'True', 'HookConfigured'],
        ['AgentReachable', 'True', 'AgentResponded'],
      ],
    );
    const events = await eventually(async () => {
      const found = await cluster.events('shop', 'first');
      return found.length >= 3 ? found : null;
    });
    assert.deepEqual(events.map(({ reason }) => reason).sort(), [
      'AgentCallSuccess',
      'DuplicateEventIgnored',
      'EventFiring',
    ]);
    const { stdout } = await cluster.plane.kubectl(['-n', 'shop', 'get', 'hooks']);
    assert.match(stdout, /^NAME +READY +ACTIVE +LAST FIRED +AGE\nfirst +True +1 +\d+s /);
    const described = await cluster.plane.kubectl(['-n', 'shop', 'describe', 'hook', 'first']);
    assert.match(described.stdout, /Event pod-restart fired for resource api-1, calling agent k8s-agent/);
    assert.ok(id !== '');
  });

  it('are taken up when they come, change and go, within a second or two', async (t) => {
    const host = await cluster.host(t);
    const isMatched = async (resource: string): Promise<boolean> => {
      const { outcome } = await host.emit(restart('kagent', resource));
      return outcome !== 'unmatched';
    };
    assert.equal(await isMatched('a'), false);
    await cluster.apply(hook('kagent', 'second'));
    await eventually(() => isMatched('b'));
    await cluster.apply(hook('kagent', 'second', { suspend: true }));
    await eventually(async () => !(await isMatched('c')));
    await eventually(async () => (await cluster.status('kagent', 'second')).conditions?.[0]?.reason === 'Suspended');
    await cluster.plane.kubectl(['-n', 'kagent', 'delete', 'hook', 'second']);
    await eventually(() => host.grep(/Configuration reloaded/).length >= 3);
    await cluster.apply(hook('kagent', 'second'));
    await eventually(
      async () => (await cluster.status('kagent', 'second')).conditions?.[0]?.reason === 'HookConfigured',
    );
    assert.deepEqual(host.grep(/Status of Hook/), [], 'a Hook that went away is no fault');
  });

  it('write no status while nothing changes', async (t) => {
    await cluster.apply(hook('shop', 'quiet'));
    const host = await cluster.host(t);
    await eventually(async () => (await cluster.status('shop', 'quiet')).conditions !== undefined);
    const before = await cluster.hook('shop', 'quiet');
    const requests = cluster.requests('patch', '/status');
    await cluster.plane.kubectl(['-n', 'shop', 'label', 'hook', 'quiet', 'some=label']);
    await host.emit(restart('elsewhere', 'x'));
    const again = await cluster.host(t);
    await eventually(() => again.grep(/Hooks of the cluster are followed/).length === 1);
    const { status, metadata } = await cluster.hook('shop', 'quiet');
    assert.deepEqual(status, before.status);
    assert.notEqual(metadata.resourceVersion, before.metadata.resourceVersion);
    assert.equal(cluster.requests('patch', '/status'), requests);
  });

  it('keep the conditions of others, and what others write at the same time', async (t) => {
    await cluster.apply(hook('shop', 'contested'));
    const host = await cluster.host(t);
    await eventually(async () => (await cluster.status('shop', 'contested')).conditions !== undefined);
    const path = '/apis/kagent.dev/v1alpha2/namespaces/shop/hooks/contested';
    const mine = { type: 'Mine', status: 'True', reason: 'X', message: '', lastTransitionTime: '2026-01-02T03:04:05Z' };
    const { conditions = [] } = await cluster.status('shop', 'contested');
    await cluster.plane.admin.patch(`${path}/status`, { status: { conditions: [...conditions, mine] } });
    const emitted = host.emit(restart('shop', 'api-9'));
    for (let n = 0; n < 20; n += 1) {
      await cluster.plane.admin.patch(path, { metadata: { annotations: { n: String(n) } } });
    }
    await emitted;
    const status = await eventually(async () => {
      const read = await cluster.status('shop', 'contested');
      return read.activeEvents?.[0]?.lastNotified === undefined ? null : read;
    });
    assert.ok(status.conditions?.some(({ type }) => type === 'Mine'));
    assert.deepEqual(host.grep(/Status of Hook.*could not be written/), []);
  });

  it('are followed whatever happens to the connection and to the API server', async (t) => {
    const proxy = await TcpProxy.start(cluster.plane.port);
    t.after(() => proxy.stop());
    const host = await cluster.host(t, {}, `https://127.0.0.1:${proxy.port}`);
    let n = 0;
    const seesNext = async (): Promise<void> => {
      n += 1;
      const name = `chaos-${n}`;
      await eventually(() => cluster.apply(hook('shop', name)).then(() => true), 30_000);
      await eventually(async () => {
        const { conditions } = await cluster.status('shop', name);
        return conditions?.[0]?.status === 'True';
      }, 60_000);
    };
    await seesNext();
    for (let round = 0; round < 5; round += 1) proxy.cut(round % 2 === 0);
    await seesNext();
    await cluster.plane.restart('kill');
    await seesNext();
    await cluster.plane.etcd.compact();
    await cluster.plane.restart('stop');
    await seesNext();
    proxy.refuse();
    await eventually(() => host.grep(/could not be written|does not answer/).length >= 0);
    proxy.heal();
    await seesNext();
    assert.equal(await host.metric('khook_hooks_synced'), 1);
    assert.equal(await host.metric('khook_ledger_residual'), 0);
  });

  it('fire also while the API server does not answer, and are recorded when it does', async (t) => {
    await cluster.apply(hook('shop', 'frozen'));
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const host = await cluster.host(t, { flags: ['--agent-url', agent.url] });
    await eventually(async () => (await cluster.status('shop', 'frozen')).conditions !== undefined);
    const sent = (pod: string): boolean => agent.sends.some(({ text }) => text.includes(pod));
    cluster.plane.apiServer.freeze();
    try {
      await host.emit(restart('shop', 'cold-1'));
      await eventually(() => sent('cold-1'));
    } finally {
      cluster.plane.apiServer.thaw();
    }
    await eventually(async () => {
      const { activeEvents = [] } = await cluster.status('shop', 'frozen');
      return activeEvents.some(({ lastNotified }) => lastNotified !== undefined);
    }, 30_000);
  });

  it('are checked by khook check, as they stand in the cluster', async () => {
    await cluster.apply(hook('shop', 'checked', { filter: 'event.severity = 1' }));
    const KUBECONFIG = await cluster.account.kubeconfig();
    const child = spawnSync(resolve('scripts/khook'), ['check', '--config', tmpdir(), '--hooks', 'cluster'], {
      env: { PATH: process.env.PATH, HOME: tmpdir(), KUBECONFIG, WATCH_NAMESPACE: 'shop' },
      encoding: 'utf8',
    });
    assert.equal(child.status, 3, child.stderr);
    assert.match(child.stderr, /shop\/checked: spec\.filter: the filter is not a CEL expression/);
    const { code } = await cluster.plane.kubectl(['-n', 'shop', 'delete', 'hook', 'checked']);
    assert.equal(code, 0);
  });

  it('show that an agent is away and a firing given up', async (t) => {
    await cluster.apply(hook('shop', 'lonely'));
    const agent = await MisbehavingAgent.start({
      onSend: () => ({ kind: 'says', status: 404, body: 'no such agent' }),
    });
    t.after(() => agent.stop());
    const host = await cluster.host(t, { flags: ['--agent-url', agent.url] });
    await host.emit(restart('shop', 'api-7'));
    const status = await eventually(async () => {
      const read = await cluster.status('shop', 'lonely');
      return read.conditions?.[1]?.status === 'False' && read.activeEvents?.length === 1 ? read : null;
    });
    assert.equal(status.activeEvents?.[0]?.lastNotified, undefined);
    const reasons = await eventually(async () => {
      const found = (await cluster.events('shop', 'lonely')).map(({ type, reason }) => `${type} ${reason}`);
      return found.includes('Warning EventProcessingError') ? found : null;
    });
    assert.ok(reasons.includes('Warning AgentCallFailure'));
  });

  it('that the API server would take and khook cannot use are named, and disturb no other', async (t) => {
    const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hooks.kagent.dev';
    const definition = await cluster.plane.admin.get<{
      metadata: object;
      spec: { versions: Record<string, unknown>[] };
    }>(crd);
    const [version = {}] = definition.spec.versions;
    const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const lax = { ...version, schema: { openAPIV3Schema } };
    await cluster.plane.admin.patch(crd, { spec: { versions: [lax] } });
    t.after(() => cluster.plane.admin.patch(crd, { spec: { versions: [version] } }));
    const host = await cluster.host(t);
    await eventually(() => cluster.apply(hook('shop', 'good')).then(() => true));
    await eventually(async () => (await cluster.status('shop', 'good')).conditions?.[0]?.status === 'True');
    await eventually(() => cluster.apply(hook('shop', 'bad', { filtre: 'x' })).then(() => true));
    const bad = await eventually(async () => {
      const { conditions } = await cluster.status('shop', 'bad');
      return conditions?.[0]?.status === 'False' ? conditions[0] : null;
    });
    assert.equal(bad.reason, 'InvalidConfiguration');
    assert.match(bad.message, /spec\.filtre: .*Nothing of it is in force\.$/);
    assert.ok(host.grep(/Invalid configuration of shop\/bad.*spec\.filtre/).length === 1);
    await cluster.apply(hook('shop', 'good', { namespaces: 'all' }));
    const kept = await eventually(async () => {
      const { conditions } = await cluster.status('shop', 'good');
      return conditions?.[0]?.status === 'False' ? conditions[0] : null;
    });
    assert.match(kept.message, /Generation 2: spec\.namespaces: .*Its last good version stays in force\.$/);
    assert.notEqual((await host.emit(restart('shop', 'api-8'))).outcome, 'unmatched');
  });
});
