import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { WORKS } from '../../support/misbehaving-agent.ts';
import { misbehaving, rig } from './dispatch-rig.ts';
import { firing, nthFiring } from './firing.ts';

test('dispatch: a stop lets the running delivery finish and says what it could not', async (t) => {
  const agent = await misbehaving(t, { onSend: ({ path }) => (path.includes('hanging') ? { kind: 'hangs' } : WORKS) });
  const { dispatch, settled } = rig(t, { baseUrl: agent.url });
  await dispatch.accept([
    { eventId: 'e-1', firing: nthFiring(1) },
    { eventId: 'e-2', firing: nthFiring(2, { agent: { namespace: 'kagent', name: 'hanging' } }) },
  ]);
  await eventually(() => agent.sends.length === 2);
  assert.deepEqual(await dispatch.drain(400), { unfinished: 1 });
  const outcomes = settled.map(({ delivery, outcome }) => `${delivery.eventId} ${outcome}`);
  assert.deepEqual(outcomes, ['e-1 delivered', 'e-2 dropped']);
  assert.deepEqual(await dispatch.accept([{ eventId: 'e-3', firing: nthFiring(3) }]), [
    { kind: 'dropped', reason: 'shutdown' },
  ]);
});

test('dispatch: a stop does not sit out a wait that is longer than its grace period', async (t) => {
  const agent = await misbehaving(t, { onSend: () => ({ kind: 'says', status: 503, body: '' }) });
  const { dispatch } = rig(t, {
    baseUrl: agent.url,
    settings: {
      retry: { attempts: 3, backoff: { initialMs: 60_000, maxMs: 60_000, factor: 1 }, maxRetryAfterMs: 60_000 },
    },
  });
  await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  await eventually(() => dispatch.snapshot().waiting === 1);
  const startedAt = performance.now();
  assert.deepEqual(await dispatch.drain(20_000), { unfinished: 1 });
  assert.ok(performance.now() - startedAt < 5_000);
});

test('dispatch: a call that fails during a stop is not waited for again', async (t) => {
  const agent = await misbehaving(t, { onSend: () => ({ kind: 'hangs' }) });
  const { dispatch, outbox } = rig(t, {
    baseUrl: agent.url,
    timeoutMs: 150,
    settings: {
      retry: { attempts: 3, backoff: { initialMs: 60_000, maxMs: 60_000, factor: 1 }, maxRetryAfterMs: 60_000 },
    },
  });
  await dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  await eventually(() => agent.sends.length === 1);
  const startedAt = performance.now();
  assert.deepEqual(await dispatch.drain(20_000), { unfinished: 1 });
  assert.ok(performance.now() - startedAt < 5_000);
  assert.equal((await outbox.list())[0]?.state.kind, 'waiting', 'its last state stands in the outbox');
});

test('dispatch: takes up what an earlier life left: a task is followed, not started again', async (t) => {
  const agent = await misbehaving(t, { states: ['working'] });
  const first = rig(t, { baseUrl: agent.url });
  await first.dispatch.accept([{ eventId: 'e-1', firing: firing() }]);
  await eventually(
    () => first.dispatch.snapshot().inFlight === 1 && agent.calls.some(({ method }) => method === 'GetTask'),
  );
  const left = await first.outbox.list();
  await first.dispatch.drain(0);
  const second = rig(t, { baseUrl: agent.url });
  await second.outbox.put(left);
  assert.equal(await second.dispatch.restore(), 1);
  assert.equal((await second.dispatch.accept([{ eventId: 'e-2', firing: firing() }]))[0]?.kind, 'duplicate');
  agent.reform({ states: ['completed'] });
  const { outcome, delivery } = await second.settledAt(1);
  assert.equal(outcome, 'delivered');
  assert.equal(delivery.eventId, 'e-1');
  assert.equal(agent.sends.length, 1);
});

test('dispatch: leaves no connection behind', async (t) => {
  const agent = await misbehaving(t, { onSend: (_, before) => (before === 0 ? { kind: 'hangs' } : WORKS) });
  const { dispatch, client, settled } = rig(t, { baseUrl: agent.url });
  await dispatch.accept([1, 2, 3].map((n) => ({ eventId: `e-${n}`, firing: nthFiring(n) })));
  await eventually(() => settled.length === 2);
  assert.ok(agent.openConnections > 0);
  await dispatch[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
  await eventually(() => agent.openConnections === 0);
});
