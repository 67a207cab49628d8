import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmbeddedAgent } from '../../../host/dispatch/embedded-agent.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { WORKS } from '../../support/misbehaving-agent.ts';
import { ALL, misbehaving, rig } from './dispatch-rig.ts';
import { firing, nthFiring } from './firing.ts';

test('dispatch: a firing reaches the embedded agent and is settled as delivered, once', async (t) => {
  const agent = await EmbeddedAgent.start({ port: 0, clock: systemClock });
  t.after(() => agent[Symbol.asyncDispose]());
  const { dispatch, outbox, said, settledAt } = rig(t, { baseUrl: 'http://unused.invalid', agentUrl: agent.url });
  const [acceptance] = await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  assert.equal(acceptance?.kind, 'accepted');
  assert.equal(outbox.size, 1, 'it stands in the outbox when accept resolves');
  const { outcome, delivery } = await settledAt(1);
  assert.equal(outcome, 'delivered');
  assert.equal(delivery.eventId, 'e-1');
  const [prompt] = agent.prompts();
  assert.equal(prompt?.prompt, 'Pod api restarts.');
  assert.equal(prompt?.messageId, acceptance?.kind === 'accepted' ? acceptance.messageId : '');
  assert.equal(prompt?.userId, 'me@example.com');
  assert.equal(prompt?.contextId, delivery.contextId);
  assert.equal(outbox.size, 0);
  const order = ['firing:accepted', 'call:started', 'call:accepted', 'task:completed', 'firing:settled'];
  assert.deepEqual(said, order);
});

test('dispatch: the same key within the window is a duplicate, also in one batch, and reaches no agent', async (t) => {
  const agent = await misbehaving(t);
  const { dispatch, said, settledAt } = rig(t, { baseUrl: agent.url });
  const acceptances = await dispatch.accept([
    { eventId: 'e-1', firing: firing() },
    { eventId: 'e-2', firing: firing() },
    { eventId: 'e-3', firing: firing({ dedupKey: 'another' }) },
  ]);
  assert.deepEqual(
    acceptances.map(({ kind }) => kind),
    ['accepted', 'duplicate', 'accepted'],
  );
  await settledAt(2);
  assert.deepEqual(
    (await dispatch.accept([{ eventId: 'e-4', firing: firing() }])).map(({ kind }) => kind),
    ['duplicate'],
  );
  assert.equal(agent.taken.size, 2);
  assert.equal(said.filter((name) => name === 'firing:duplicate').length, 2);
});

test('dispatch: an event that is told again after the window is known by when it happened', async (t) => {
  const agent = await misbehaving(t);
  const { dispatch } = rig(t, { baseUrl: agent.url, settings: { dedupWindowMs: 50 } });
  const accept = async (occurredAt: number): Promise<string | undefined> => {
    const [acceptance] = await dispatch.accept([{ eventId: 'e', firing: firing({ occurredAt }) }]);
    return acceptance?.kind;
  };
  const happened = Date.now();
  assert.equal(await accept(happened), 'accepted');
  await eventually(() => Date.now() - happened > 200);
  assert.equal(await accept(happened), 'duplicate');
  assert.equal(await accept(Date.now()), 'accepted');
});

test('dispatch: an agent that fails twice gets the same messageId three times and works once', async (t) => {
  const agent = await misbehaving(t, {
    onSession: () => ({ kind: 'says', status: 201, body: '{}' }),
    onSend: (_, before) => (before < 2 ? { kind: 'says', status: 503, body: 'not yet' } : WORKS),
  });
  const { dispatch, errors, settledAt } = rig(t, { baseUrl: agent.url });
  await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  const { outcome, delivery } = await settledAt(1);
  assert.equal(outcome, 'delivered');
  assert.deepEqual(
    agent.sends.map(({ messageId }) => messageId),
    Array(3).fill(delivery.messageId),
  );
  assert.deepEqual([...new Set(agent.sends.map(({ contextId }) => contextId))], [delivery.contextId]);
  assert.deepEqual([...agent.taken.values()], [1]);
  assert.equal(agent.sessions.length, 1, 'the session is tried once per firing, not per attempt');
  assert.deepEqual([...new Set(agent.calls.map(({ headers }) => headers['x-user-id']))], ['me@example.com']);
  assert.equal(errors.length, 2);
  assert.match(
    errors[0]?.message ?? '',
    /127\.0\.0\.1:\d+\/api\/a2a\/kagent\/k8s-agent\/ answered with HTTP 503: not yet/,
  );
});

for (const vice of ['hangs', 'resets'] as const) {
  test(`dispatch: an agent that ${vice} is dead-lettered after three attempts, and the dedup key is given back`, async (t) => {
    const agent = await misbehaving(t, { onSend: () => ({ kind: vice }) });
    const { dispatch, outbox, settledAt } = rig(t, { baseUrl: agent.url, timeoutMs: 60 });
    await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
    const { outcome, delivery, detail } = await settledAt(1);
    assert.equal(outcome, 'dead_lettered');
    const code = vice === 'hangs' ? 'HOST_ERR_AGENT_TIMEOUT' : 'HOST_ERR_AGENT_UNREACHABLE';
    assert.ok(detail.startsWith(code), detail);
    assert.match(detail, /attempt 3 of 3/);
    assert.deepEqual(new Set(agent.sends.map(({ messageId }) => messageId)), new Set([delivery.messageId]));
    assert.equal(outbox.size, 0);
    assert.deepEqual(
      (await dispatch.deadLetters.list(ALL)).map(({ messageId }) => messageId),
      [delivery.messageId],
    );
    agent.reform({});
    const [again] = await dispatch.accept([{ eventId: 'e-2', firing: firing() }]);
    assert.equal(again?.kind, 'accepted', 'a failed delivery must not silence its key');
    assert.equal((await settledAt(2)).outcome, 'delivered');
  });
}

test('dispatch: waits as long as Retry-After says', async (t) => {
  const agent = await misbehaving(t, {
    onSend: (_, before) =>
      before === 0 ? { kind: 'says', status: 429, body: 'slow down', headers: { 'Retry-After': '1' } } : WORKS,
  });
  const { dispatch, errors, settledAt } = rig(t, { baseUrl: agent.url });
  await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  assert.equal((await settledAt(1)).outcome, 'delivered');
  assert.equal(errors[0]?.retryInMs, 1_000);
});

test('dispatch: what no retry can mend is dead-lettered at once, with the cause and what to do', async (t) => {
  const cases = [
    { body: '<html>log in</html>', status: 200, expected: /cannot use.*Check that this URL is that of an A2A agent/ },
    { body: 'Agent kagent/k8s-agent not found', status: 404, expected: /HTTP 404.*not found.*agentRef/ },
    { body: '', status: 301, expected: /HTTP 301.*location \/elsewhere.*final URL/ },
    { body: 'x'.repeat(1_100_000), status: 200, expected: /more than 1048576 bytes/ },
  ];
  const agent = await misbehaving(t);
  const { dispatch, settledAt } = rig(t, { baseUrl: agent.url });
  for (const [n, { body, status, expected }] of cases.entries()) {
    agent.reform({ onSend: () => ({ kind: 'says', status, body, headers: { Location: '/elsewhere' } }) });
    const before = agent.sends.length;
    await dispatch.accept([{ eventId: `e-${n}`, firing: nthFiring(n) }]);
    const { outcome, detail } = await settledAt(n + 1);
    assert.equal(outcome, 'dead_lettered');
    assert.match(detail, /^HOST_ERR_AGENT_REFUSED: /);
    assert.match(detail, expected);
    assert.equal(agent.sends.length, before + 1);
  }
});

test('dispatch: a task that fails, is rejected or waits for a person is no success and is not sent again', async (t) => {
  const agent = await misbehaving(t);
  const { dispatch, settledAt } = rig(t, { baseUrl: agent.url });
  for (const [n, state] of (['failed', 'rejected', 'canceled', 'input-required'] as const).entries()) {
    agent.reform({ states: ['working', state] });
    await dispatch.accept([{ eventId: `e-${n}`, firing: nthFiring(n) }]);
    const { outcome, detail } = await settledAt(n + 1);
    assert.equal(outcome, 'dead_lettered');
    assert.match(detail, new RegExp(`^HOST_ERR_AGENT_TASK: task .* ended as ${state}`));
    assert.equal(agent.sends.length, n + 1);
  }
});

test('dispatch: a task that never ends is given up, and the message is not sent again', async (t) => {
  const agent = await misbehaving(t, { states: ['working'] });
  const { dispatch, settledAt } = rig(t, { baseUrl: agent.url, settings: { taskTimeoutMs: 300 } });
  await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  const { outcome, detail } = await settledAt(1);
  assert.equal(outcome, 'dead_lettered');
  assert.match(detail, /^HOST_ERR_AGENT_TASK: .* did not finish task .* within \d+ ms/);
  assert.equal(agent.sends.length, 1);
});

test('dispatch: bad answers while a task is followed are sat out', async (t) => {
  const agent = await misbehaving(t, {
    onAsk: (_, before) =>
      before === 0 ? { kind: 'resets' } : before === 1 ? { kind: 'says', status: 502, body: '' } : WORKS,
  });
  const { dispatch, settledAt } = rig(t, { baseUrl: agent.url });
  await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  assert.equal((await settledAt(1)).outcome, 'delivered');
  assert.equal(agent.sends.length, 1);
});

test('dispatch: an agent that restarts on the same port gets the firing under the same messageId', async (t) => {
  const agent = await misbehaving(t);
  const { dispatch, errors, settledAt } = rig(t, {
    baseUrl: agent.url,
    settings: {
      retry: { attempts: 50, backoff: { initialMs: 20, maxMs: 40, factor: 2 }, maxRetryAfterMs: 100 },
      circuit: { failures: 100, pauseMs: 100 },
    },
  });
  await dispatch.accept([{ eventId: 'e-0', firing: nthFiring(0) }]);
  await settledAt(1);
  await agent.stop();
  await dispatch.accept([{ eventId: 'e-1', firing: nthFiring(1) }]);
  await eventually(() => errors.length > 0);
  assert.equal(errors[0]?.code, 'HOST_ERR_AGENT_UNREACHABLE');
  await agent.listen();
  const { outcome, delivery } = await settledAt(2);
  assert.equal(outcome, 'delivered');
  assert.equal(agent.taken.get(delivery.messageId), 1);
});

test('dispatch: a task that a restarted agent has forgotten is dead-lettered, not sent twice', async (t) => {
  const agent = await misbehaving(t, { states: ['working'] });
  const { dispatch, settledAt } = rig(t, { baseUrl: agent.url });
  await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  await eventually(() => agent.calls.some(({ method }) => method === 'GetTask'));
  agent.forget();
  const { detail } = await settledAt(1);
  assert.match(detail, /^HOST_ERR_AGENT_TASK: .* no longer knows task/);
  assert.equal(agent.sends.length, 1);
});

test('dispatch: over the bound of the outbox a firing is dead-lettered, never lost', async (t) => {
  const agent = await misbehaving(t, { states: ['working'] });
  const { dispatch, settled, settledAt } = rig(t, { baseUrl: agent.url, capacity: 2 });
  const batch = [1, 2, 3].map((n) => ({ eventId: `e-${n}`, firing: nthFiring(n) }));
  const acceptances = await dispatch.accept(batch);
  assert.deepEqual(
    acceptances.map(({ kind }) => kind),
    ['accepted', 'accepted', 'accepted'],
  );
  assert.equal(settled.length, 0, 'nothing is settled before accept has resolved');
  const { outcome, detail, delivery } = await settledAt(1);
  assert.equal(outcome, 'dead_lettered');
  assert.match(detail, /^HOST_ERR_OUTBOX_FULL: outbox_full/);
  assert.equal(delivery.eventId, 'e-3');
  assert.equal((await dispatch.deadLetters.list(ALL))[0]?.eventId, 'e-3');
  assert.equal(dispatch.snapshot().deadLetters, 1);
});

test('dispatch: an agent works on no more at once than its lane lets through, and a hanging one holds up nobody else', async (t) => {
  const agent = await misbehaving(t, { onSend: ({ path }) => (path.includes('hanging') ? { kind: 'hangs' } : WORKS) });
  const { dispatch, settled } = rig(t, { baseUrl: agent.url, settings: { concurrencyPerAgent: 2 } });
  const hanging = { namespace: 'kagent', name: 'hanging' };
  await dispatch.accept([1, 2, 3, 4, 5].map((n) => ({ eventId: `h-${n}`, firing: nthFiring(n, { agent: hanging }) })));
  await eventually(() => agent.sends.length === 2);
  await dispatch.accept([6, 7, 8].map((n) => ({ eventId: `e-${n}`, firing: nthFiring(n) })));
  await eventually(() => settled.length === 3);
  assert.ok(settled.every(({ outcome, delivery }) => outcome === 'delivered' && delivery.eventId.startsWith('e-')));
  assert.equal(agent.sends.filter(({ path }) => path.includes('hanging')).length, 2);
  assert.deepEqual(
    { ...dispatch.snapshot(), dedupKeys: 0 },
    { queued: 3, waiting: 0, inFlight: 2, deadLetters: 0, dedupKeys: 0, openCircuits: [] },
  );
});

test('dispatch: a failing agent is left alone while its circuit is open, then one call tries it, and nothing is lost', async (t) => {
  let isWell = false;
  const agent = await misbehaving(t, { onSend: () => (isWell ? WORKS : { kind: 'says', status: 500, body: 'ill' }) });
  const { dispatch, said, settled } = rig(t, {
    baseUrl: agent.url,
    settings: {
      circuit: { failures: 4, pauseMs: 250 },
      retry: { attempts: 10, backoff: { initialMs: 5, maxMs: 5, factor: 1 }, maxRetryAfterMs: 1_000 },
    },
  });
  await dispatch.accept(Array.from({ length: 20 }, (_, n) => ({ eventId: `e-${n}`, firing: nthFiring(n) })));
  await eventually(() => said.includes('circuit:opened'));
  assert.deepEqual(dispatch.snapshot().openCircuits, ['kagent/k8s-agent']);
  const callsWhenOpened = agent.sends.length;
  assert.ok(callsWhenOpened < 9, `${callsWhenOpened} calls`);
  await eventually(() => agent.sends.length > callsWhenOpened);
  assert.equal(agent.sends.length, callsWhenOpened + 1, 'one call tries the agent');
  isWell = true;
  await eventually(() => settled.length === 20);
  assert.ok(settled.every(({ outcome }) => outcome === 'delivered'));
  assert.deepEqual([...agent.taken.values()], Array(20).fill(1));
  assert.equal(said.filter((name) => name === 'circuit:opened').length, 1);
  assert.equal(said.filter((name) => name === 'circuit:closed').length, 1);
});
