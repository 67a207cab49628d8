import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HookPlane, hook, restart } from '../support/cluster/hook-plane.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { RunningHost } from '../support/running-host.ts';

async function emit(
  host: RunningHost,
  event: Record<string, unknown>,
): Promise<{ id: string; outcome: string | null }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${host.admin}/api/v1/emit`, { method: 'POST', headers, body: JSON.stringify(event) });
  return (await answer.json()) as { id: string; outcome: string | null };
}

describe('a khook that takes over from another', { skip: missingTools() }, () => {
  let cluster: HookPlane;
  before(async () => {
    cluster = await HookPlane.start();
  });
  after(() => cluster?.stop());

  /** A host with a data folder of its own, as a pod has it. */
  async function host(t: { after: (done: () => Promise<void>) => void }, agent: string): Promise<RunningHost> {
    const files = await cluster.files({ flags: ['--agent-url', agent, '--no-keeper'] });
    const started = await RunningHost.start(t, files);
    await eventually(
      async () => (await emit(started, { ...restart('nowhere', 'x'), type: 'unknown' })).id !== undefined,
      20_000,
    );
    return started;
  }

  async function killed(running: RunningHost): Promise<void> {
    running.signal('SIGKILL');
    await running.exit;
  }

  it('does not repeat what an agent took', async (t) => {
    await cluster.apply(hook('shop', 'once'));
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const first = await host(t, agent.url);
    for (let n = 0; n < 20; n += 1) await emit(first, restart('shop', `pod-${n}`));
    await eventually(async () => {
      const { activeEvents = [] } = await cluster.status('shop', 'once');
      return activeEvents.filter(({ lastNotified }) => lastNotified !== undefined).length === 20;
    });
    await killed(first);
    const second = await host(t, agent.url);
    for (let n = 0; n < 20; n += 1) {
      assert.equal((await emit(second, restart('shop', `pod-${n}`))).outcome, 'duplicate');
    }
    assert.deepEqual([agent.taken.size, [...agent.taken.values()].every((times) => times === 1)], [20, true]);
  });

  it('sends again what the other died too soon to record, and under no new messageId', async (t) => {
    await cluster.apply(hook('kagent', 'soon'));
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const first = await host(t, agent.url);
    const pods = Array.from({ length: 60 }, (_, n) => `pod-${n}`);
    const emitting = Promise.allSettled(pods.map((pod) => emit(first, restart('kagent', pod))));
    await eventually(() => agent.taken.size > 0);
    await killed(first);
    await emitting;
    const second = await host(t, agent.url);
    await Promise.all(pods.map((pod) => emit(second, restart('kagent', pod))));
    await eventually(async () => {
      const { inFlight } = await second.json<{ inFlight: number }>('/api/v1/ledger');
      return inFlight === 0;
    }, 30_000);
    const ids = new Map<string, Set<string>>();
    for (const { text, messageId } of agent.sends) {
      const pod = /Look at (pod-\d+)/.exec(text)?.[1] ?? '';
      ids.set(pod, (ids.get(pod) ?? new Set()).add(messageId));
    }
    assert.deepEqual([...ids.keys()].sort(), pods.sort(), 'none is lost');
    assert.deepEqual(
      [...ids].filter(([, each]) => each.size > 1),
      [],
      'each has one messageId',
    );
  });

  it('sends what the other had accepted and not sent, under the same messageId', async (t) => {
    await cluster.apply(hook('shop', 'unsent'));
    const agent = await MisbehavingAgent.start({ onSend: () => ({ kind: 'hangs' }) });
    t.after(() => agent.stop());
    const first = await host(t, agent.url);
    await emit(first, restart('shop', 'pod-a'));
    const before = await eventually(async () => {
      const [event] = (await cluster.status('shop', 'unsent')).activeEvents ?? [];
      return event?.messageId === undefined ? null : event;
    });
    assert.equal(before.lastNotified, undefined);
    await killed(first);
    const working = await MisbehavingAgent.start();
    t.after(() => working.stop());
    const second = await host(t, working.url);
    assert.notEqual((await emit(second, restart('shop', 'pod-a'))).outcome, 'duplicate');
    // The Hooks of the tests before want this pod, too.
    await eventually(() => working.sends.some(({ messageId }) => messageId === before.messageId));
    const after = await eventually(async () => {
      const [event] = (await cluster.status('shop', 'unsent')).activeEvents ?? [];
      return event?.lastNotified === undefined ? null : event;
    });
    assert.equal(after.messageId, before.messageId);
  });

  it('goes on from its own data folder where that knows more', async (t) => {
    await cluster.apply(hook('shop', 'both'));
    const agent = await MisbehavingAgent.start({ onSend: () => ({ kind: 'hangs' }) });
    t.after(() => agent.stop());
    const first = await host(t, agent.url);
    await emit(first, restart('shop', 'pod-b'));
    await eventually(() => agent.sends.some(({ text }) => text.includes('pod-b')));
    await killed(first);
    const working = await MisbehavingAgent.start();
    t.after(() => working.stop());
    const files = await cluster.files({
      flags: ['--agent-url', working.url, '--no-keeper', '--data', `${first.directory}/.khook`],
    });
    const second = await RunningHost.start(t, files);
    await eventually(() => working.sends.filter(({ text }) => text.includes('pod-b')).length > 0);
    assert.equal((await emit(second, restart('shop', 'pod-b'))).outcome, 'duplicate');
    const ids = [agent, working].flatMap(({ sends }) =>
      sends.filter(({ text }) => text.includes('pod-b') && text.includes('Look')).map(({ messageId }) => messageId),
    );
    const events = (await cluster.status('shop', 'both')).activeEvents ?? [];
    assert.ok(events.every(({ messageId }) => ids.includes(messageId ?? '')));
  });
});
