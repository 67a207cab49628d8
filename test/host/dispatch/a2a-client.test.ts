import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { A2aClient, type A2aClientOptions } from '../../../host/dispatch/a2a-client.ts';
import { retryAfter } from '../../../host/dispatch/agent-http.ts';
import type { Delivery } from '../../../host/dispatch/delivery.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { misbehaving } from './dispatch-rig.ts';
import { firing } from './firing.ts';

const NEVER = new AbortController().signal;

function client(t: TestContext, options: Partial<A2aClientOptions>): A2aClient {
  const made = new A2aClient({
    baseUrl: 'http://unused.invalid',
    userId: 'me',
    timeoutMs: 1_000,
    clock: systemClock,
    agentUrl: null,
    ...options,
  });
  t.after(() => made[Symbol.asyncDispose]());
  return made;
}

function delivery(messageId = 'm-1'): Delivery {
  return {
    messageId,
    contextId: 'c-1',
    acceptedAt: 0,
    eventId: 'e-1',
    firing: firing(),
    state: { kind: 'calling', attempt: 1, since: 0 },
  };
}

test('A2A client: speaks 1.0 without blocking, at kagent’s URL, and follows the task to its end', async (t) => {
  const agent = await misbehaving(t, { speaks: '1.0' });
  const a2a = client(t, { baseUrl: `${agent.url}//` });
  const sent = await a2a.send(delivery(), NEVER);
  assert.deepEqual(sent, { kind: 'task', taskId: 'task-m-1', state: 'working', text: '' });
  const [call] = agent.sends;
  assert.equal(call?.path, '/api/a2a/kagent/k8s-agent/');
  assert.equal(call?.headers['a2a-version'], '1.0');
  assert.equal((call?.params.configuration as { returnImmediately?: boolean } | undefined)?.returnImmediately, true);
  assert.deepEqual([call?.messageId, call?.contextId, call?.text], ['m-1', 'c-1', 'Pod api restarts.']);
  const end = await a2a.follow(delivery(), 'task-m-1', { timeoutMs: 5_000, signal: NEVER });
  assert.deepEqual(end, { state: 'completed', text: '' });
});

test('A2A client: falls back to 0.3 once and remembers it', async (t) => {
  const agent = await misbehaving(t, { speaks: '0.3' });
  const a2a = client(t, { baseUrl: agent.url });
  for (const id of ['m-1', 'm-2']) {
    await a2a.send(delivery(id), NEVER);
    assert.equal(
      (await a2a.follow(delivery(id), `task-${id}`, { timeoutMs: 5_000, signal: NEVER })).state,
      'completed',
    );
  }
  assert.deepEqual(
    agent.sends.map(({ method }) => method),
    ['SendMessage', 'message/send', 'message/send'],
  );
  const [, old] = agent.sends;
  assert.equal((old?.params.configuration as { blocking?: boolean } | undefined)?.blocking, false);
  assert.equal(old?.messageId, 'm-1');
});

test('A2A client: returns to 1.0 when an agent it knew as 0.3 now refuses that', async (t) => {
  const agent = await misbehaving(t, { speaks: '0.3' });
  const a2a = client(t, { baseUrl: agent.url });
  await a2a.send(delivery('m-1'), NEVER);
  agent.reform({ speaks: '1.0' });
  await a2a.send(delivery('m-2'), NEVER);
  assert.deepEqual(
    [...agent.taken],
    [
      ['m-1', 1],
      ['m-2', 1],
    ],
  );
});

test('A2A client: says so when an agent refuses both versions', async (t) => {
  const agent = await misbehaving(t, { onSend: () => ({ kind: 'rpc-error', code: -32_009, message: 'not this one' }) });
  await assert.rejects(client(t, { baseUrl: agent.url }).send(delivery(), NEVER), (error: Error & { code: string }) => {
    assert.equal(error.code, 'HOST_ERR_AGENT_REFUSED');
    assert.match(error.message, /refusal of A2A 1\.0 and of 0\.3.*not this one/);
    return true;
  });
  assert.equal(agent.sends.length, 2);
});

test('A2A client: an agent that answers with a message at once is done', async (t) => {
  const agent = await misbehaving(t, { onSend: () => ({ kind: 'message' }) });
  assert.deepEqual(await client(t, { baseUrl: agent.url }).send(delivery(), NEVER), { kind: 'message' });
});

test('A2A client: a given agent URL is used exactly, and no session is tried there', async (t) => {
  const agent = await misbehaving(t);
  await client(t, { agentUrl: `${agent.url}/my/agent?x=1` }).send(delivery(), NEVER);
  assert.deepEqual(
    agent.calls.map(({ path }) => path),
    ['/my/agent?x=1'],
  );
});

test('A2A client: a session is named after the firing and shares its context; where there are none they are left alone', async (t) => {
  const agent = await misbehaving(t, { onSession: () => ({ kind: 'says', status: 201, body: '{}' }) });
  const a2a = client(t, { baseUrl: agent.url });
  await a2a.send(delivery('m-1'), NEVER);
  const [session] = agent.sessions;
  assert.equal(session?.path, '/api/sessions?user_id=me');
  assert.equal(session?.headers['x-user-id'], 'me');
  assert.deepEqual([session?.params.agent_ref, session?.params.id], ['kagent/k8s-agent', 'c-1']);
  assert.match(String(session?.params.name), /^hook-pod-restart-\d{10}$/);
  agent.reform({});
  await a2a.send(delivery('m-2'), NEVER);
  await a2a.send(delivery('m-3'), NEVER);
  assert.equal(agent.sessions.length, 2, 'after a 404 it is not asked again');
  assert.equal(agent.taken.size, 3);
});

test('A2A client: a session that hangs holds up one call for two seconds, and none after it', async (t) => {
  const agent = await misbehaving(t, { onSession: () => ({ kind: 'hangs' }) });
  const a2a = client(t, { baseUrl: agent.url });
  const startedAt = performance.now();
  await a2a.send(delivery('m-1'), NEVER);
  await a2a.send(delivery('m-2'), NEVER);
  const ms = performance.now() - startedAt;
  assert.ok(ms < 3_000, `${ms} ms`);
  assert.equal(agent.taken.size, 2);
});

test('A2A client: nobody listening is told with the URL and what to do', async (t) => {
  const agent = await misbehaving(t);
  await agent.stop();
  await assert.rejects(
    client(t, { agentUrl: `${agent.url}/` }).send(delivery(), NEVER),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'HOST_ERR_AGENT_UNREACHABLE');
      assert.match(
        error.message,
        /The agent at http:\/\/127\.0\.0\.1:\d+\/ could not be reached \(ECONNREFUSED\)\. Check that it runs/,
      );
      return true;
    },
  );
});

test('A2A client: a call ends when its signal aborts', async (t) => {
  const agent = await misbehaving(t, { onSend: () => ({ kind: 'hangs' }) });
  const abort = new AbortController();
  const sent = client(t, { baseUrl: agent.url, timeoutMs: 60_000 }).send(delivery(), abort.signal);
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(sent, { code: 'HOST_ERR_STOPPING' });
});

test('A2A client: a call whose signal has aborted already is not made, and breaks nothing afterwards', async (t) => {
  const agent = await misbehaving(t);
  const a2a = client(t, { baseUrl: agent.url });
  await assert.rejects(a2a.send(delivery(), AbortSignal.abort()), { code: 'HOST_ERR_STOPPING' });
  await a2a.send(delivery('m-2'), NEVER);
  assert.deepEqual([...agent.taken.keys()], ['m-2']);
});

test('Retry-After: is read as seconds or as a date', () => {
  const wall = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(retryAfter('7', wall), 7_000);
  assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:30 GMT', wall), 30_000);
  assert.equal(retryAfter('Wed, 31 Dec 2025 00:00:00 GMT', wall), 0);
  assert.equal(retryAfter('soon', wall), null);
  assert.equal(retryAfter(undefined, wall), null);
});
