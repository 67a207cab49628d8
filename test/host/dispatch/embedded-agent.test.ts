import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory } from '@a2a-js/sdk/client';
import { cardFor, messageFor, taskState, taskText } from '../../../host/dispatch/a2a-message.ts';
import { type AgentPrompt, EmbeddedAgent } from '../../../host/dispatch/embedded-agent.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { firing } from './firing.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

async function embedded(t: TestContext, onPrompt?: (prompt: AgentPrompt) => void): Promise<EmbeddedAgent> {
  const agent = await EmbeddedAgent.start({
    port: 0,
    clock: systemClock,
    ...(onPrompt === undefined ? {} : { onPrompt }),
  });
  t.after(() => agent[Symbol.asyncDispose]());
  return agent;
}

function request1(messageId: string, prompt = 'hello') {
  const state = { kind: 'queued', since: 0 } as const;
  return messageFor({ messageId, contextId: 'c-1', eventId: 'e', acceptedAt: 0, firing: firing({ prompt }), state });
}

const factory = new ClientFactory({
  transports: [new JsonRpcTransportFactory({ legacyCompat: { enabled: true } })],
  cardResolver: new DefaultAgentCardResolver({ legacyCompat: { enabled: true } }),
});

for (const version of ['1.0', '0.3'] as const) {
  test(`embedded agent: serves a ${version} client on any path, and the task is completed`, async (t) => {
    const seen: AgentPrompt[] = [];
    const agent = await embedded(t, (prompt) => seen.push(prompt));
    const client = await factory.createFromAgentCard(cardFor(`${agent.url}api/a2a/kagent/k8s-agent/`, version));
    const task = await client.sendMessage(request1('m-1'), { serviceParameters: { 'X-User-Id': 'me' } });
    assert.ok(!('messageId' in task));
    const followed = await client.getTask({ tenant: '', id: task.id });
    assert.equal(taskState(followed), 'completed');
    assert.equal(taskText(followed), 'khook embedded agent: received 5 characters');
    const { at, ...prompt } = agent.prompts()[0] ?? { at: 0 };
    assert.ok(at > 0);
    assert.deepEqual(prompt, {
      agent: 'kagent/k8s-agent',
      prompt: 'hello',
      messageId: 'm-1',
      contextId: 'c-1',
      userId: 'me',
    });
    assert.deepEqual(seen, agent.prompts());
  });
}

test('embedded agent: streams', async (t) => {
  const agent = await embedded(t);
  const client = await factory.createFromUrl(agent.url);
  const kinds: string[] = [];
  for await (const event of client.sendMessageStream(request1('m-1'))) kinds.push(event.payload?.$case ?? '');
  assert.deepEqual(kinds, ['task', 'artifactUpdate', 'statusUpdate']);
});

test('embedded agent: shows one card to 1.0 and 0.3 at both well-known paths', async (t) => {
  const agent = await embedded(t);
  for (const path of [
    '.well-known/agent-card.json',
    '.well-known/agent.json',
    'api/a2a/a/b/.well-known/agent-card.json',
  ]) {
    const card = (await (await fetch(agent.url + path)).json()) as Record<string, unknown>;
    assert.equal(card.url, agent.url);
    assert.equal(card.preferredTransport, 'JSONRPC');
    const versions = (card.supportedInterfaces as { protocolVersion: string }[]).map((each) => each.protocolVersion);
    assert.deepEqual(versions, ['1.0', '0.3']);
  }
});

test('embedded agent: keeps the last hundred prompts, each cut', async (t) => {
  const agent = await embedded(t);
  const client = await factory.createFromAgentCard(cardFor(agent.url, '1.0'));
  for (let n = 0; n < 105; n += 1) await client.sendMessage(request1(`m-${n}`, 'x'.repeat(10_000)));
  assert.equal(agent.prompts().length, 100);
  assert.equal(agent.prompts()[0]?.messageId, 'm-5');
  assert.equal(agent.prompts()[0]?.prompt.length, 8_192);
});

test('embedded agent: refuses what is too large, not JSON, or of an unknown version, and lives on', async (t) => {
  const agent = await embedded(t);
  const post = (headers: Record<string, string>, body: string) => fetch(agent.url, { method: 'POST', headers, body });
  assert.equal((await post({ 'Content-Type': 'text/plain' }, '{}')).status, 415);
  const large = await post(JSON_TYPE, 'x'.repeat(1_048_577)).then(
    ({ status }) => status,
    () => 'connection closed',
  );
  assert.ok(large === 413 || large === 'connection closed', String(large));
  const garbage = (await (await post(JSON_TYPE, '{{{')).json()) as { error: { code: number } };
  assert.ok(garbage.error.code < 0);
  const future = (await (await post({ ...JSON_TYPE, 'A2A-Version': '9.9' }, '{}')).json()) as {
    error: { code: number };
  };
  assert.equal(future.error.code, -32_009);
  assert.equal((await fetch(`${agent.url}nothing`)).status, 404);
  const client = await factory.createFromAgentCard(cardFor(agent.url, '1.0'));
  await client.sendMessage(request1('m-1'));
  assert.equal(agent.prompts().length, 1);
});

test('embedded agent: closes at once with a half-sent request open, and frees its port', async (t) => {
  const agent = await EmbeddedAgent.start({ port: 0, clock: systemClock });
  const { port } = agent;
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const continued = once(socket, 'data');
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
  );
  await continued;
  const startedAt = performance.now();
  await agent[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
  assert.ok(performance.now() - startedAt < 1_000);
  const next = await EmbeddedAgent.start({ port, clock: systemClock });
  t.after(() => next[Symbol.asyncDispose]());
  await assert.rejects(EmbeddedAgent.start({ port, clock: systemClock }), {
    code: 'HOST_ERR_PORT',
    message: /--agent-port/,
  });
});
