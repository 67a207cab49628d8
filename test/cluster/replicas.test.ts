/** Two khooks in one cluster, started as the chart starts them: one leads, the other is ready and idle. */

import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { HookPlane, hook, restart } from '../support/cluster/hook-plane.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { RunningHost } from '../support/running-host.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** A lease of 15 s that is not renewed, and the time to take over. */
const FAILOVER_MS = 40_000;

describe('two khooks in one cluster', { skip: missingTools() }, () => {
  let cluster: HookPlane;
  before(async () => {
    cluster = await HookPlane.start();
  });
  after(() => cluster?.stop());

  async function replica(
    t: TestContext,
    pod: string,
    options: { agent: string; server?: string },
  ): Promise<RunningHost> {
    const files = await cluster.files(
      { flags: ['--agent-url', options.agent, '--no-keeper'], env: { POD_NAME: pod, LEADER_ELECTION: 'true' } },
      options.server,
    );
    return RunningHost.start(t, files);
  }

  async function emit(host: RunningHost, resource: string): Promise<{ status: number; outcome: string | null }> {
    const answer = await fetch(`${host.admin}/api/v1/emit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(restart('shop', resource)),
    });
    return { status: answer.status, ...((await answer.json()) as { outcome: string | null }) };
  }

  const leads = (host: RunningHost, ms = 20_000): Promise<boolean> =>
    eventually(async () => (await emit(host, 'probe')).status === 200, ms);
  const readiness = async (host: RunningHost): Promise<number> => (await fetch(`${host.health}/readyz`)).status;

  it('one leads; when it is killed the other takes over, and repeats and loses nothing', async (t) => {
    await cluster.apply(hook('shop', 'replicas'));
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const first = await replica(t, 'khook-0', { agent: agent.url });
    await leads(first);
    const second = await replica(t, 'khook-1', { agent: agent.url });
    await eventually(() => second.grep(/Another khook leads: khook-0/).length > 0);
    await eventually(async () => (await readiness(second)) === 200);
    assert.equal((await emit(second, 'pod-0')).status, 503, 'a standby takes no events');
    const { findings } = await second.json<{ findings: { code: string; problem: string }[] }>('/api/v1/doctor');
    const told = findings.find(({ code }) => code === 'STANDBY');
    assert.equal(told?.problem, 'khook-0 leads; this khook stands by and fires nothing.', JSON.stringify(findings));
    for (let n = 0; n < 10; n += 1) await emit(first, `pod-${n}`);
    await eventually(async () => {
      const { activeEvents = [] } = await cluster.status('shop', 'replicas');
      return activeEvents.filter(({ lastNotified }) => lastNotified !== undefined).length >= 11;
    });
    first.signal('SIGKILL');
    await first.exit;
    await leads(second, FAILOVER_MS);
    for (let n = 0; n < 10; n += 1) assert.equal((await emit(second, `pod-${n}`)).outcome, 'duplicate');
    await emit(second, 'after');
    await eventually(() => agent.sends.some(({ text }) => text.includes('after')));
    assert.ok([...agent.taken.values()].every((times) => times === 1));
  });

  it('one that is cut off from the API server stops firing before the other may begin', async (t) => {
    await cluster.apply(hook('shop', 'partitioned'));
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const proxy = await TcpProxy.start(cluster.plane.port);
    t.after(() => proxy.stop());
    const server = `https://127.0.0.1:${proxy.port}`;
    const first = await replica(t, 'khook-2', { agent: agent.url, server });
    await leads(first, FAILOVER_MS);
    const second = await replica(t, 'khook-3', { agent: agent.url });
    await eventually(() => second.grep(/Another khook leads: khook-2/).length > 0);
    proxy.partition();
    const takingOver = leads(second, FAILOVER_MS);
    const { code } = await first.exit;
    assert.notEqual(code, 0, 'whoever keeps it starts it anew');
    assert.ok(first.grep(/does not lead any more and fires nothing from now on/).length > 0);
    assert.deepEqual(second.grep(/This khook leads now/), [], 'the first was gone before');
    await takingOver;
    await emit(second, 'after-the-partition');
    await eventually(() => agent.sends.some(({ text }) => text.includes('after-the-partition')));
  });

  it('a leader that stops hands over at once', async (t) => {
    await cluster.apply(hook('shop', 'rollout'));
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const first = await replica(t, 'khook-4', { agent: agent.url });
    await leads(first, FAILOVER_MS);
    const second = await replica(t, 'khook-5', { agent: agent.url });
    await eventually(() => second.grep(/Another khook leads: khook-4/).length > 0);
    first.signal('SIGTERM');
    assert.equal((await first.exit).code, 0);
    await leads(second, 10_000);
  });
});
