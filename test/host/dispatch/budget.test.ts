/** Budget and timeout of a Hook, in front of a real agent. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BUDGET_WINDOW_MS, MAX_HELD } from '../../../host/dispatch/call-budget.ts';
import type { Delivery } from '../../../host/dispatch/delivery.ts';
import type { DispatchEvents } from '../../../host/dispatch/events.ts';
import { MemoryOutbox } from '../../../host/dispatch/memory-outbox.ts';
import type { Firing } from '../../../host/match/verdict.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import type { Manners, MisbehavingAgent } from '../../support/misbehaving-agent.ts';
import { ALL, misbehaving, type Rig, rig } from './dispatch-rig.ts';
import { nthFiring } from './firing.ts';

const AT_ONCE: Manners = { onSend: () => ({ kind: 'message' }) };

interface Given extends Rig {
  readonly agent: MisbehavingAgent;
  readonly clock: FakeClock;
  readonly held: DispatchEvents['firing:held'][];
  readonly digested: DispatchEvents['firing:digested'][];
  fire(from: number, to: number, changes?: Partial<Firing>): Promise<void>;
}

async function given(t: TestContext, manners: Manners = AT_ONCE): Promise<Given> {
  const agent = await misbehaving(t, manners);
  const clock = new FakeClock();
  const made = rig(t, { baseUrl: agent.url, clock, capacity: 5_000 });
  const held: DispatchEvents['firing:held'][] = [];
  const digested: DispatchEvents['firing:digested'][] = [];
  made.dispatch.events.on('firing:held', (each) => held.push(each));
  made.dispatch.events.on('firing:digested', (each) => digested.push(each));
  const fire = async (from: number, to: number, changes: Partial<Firing> = {}): Promise<void> => {
    const firings = Array.from({ length: to - from }, (_, n) => nthFiring(from + n, { callsPerHour: 3, ...changes }));
    await made.dispatch.accept(firings.map((firing) => ({ eventId: firing.resourceName, firing })));
  };
  return { ...made, agent, clock, held, digested, fire };
}

test('budget: what is over it goes out in one digest when the hour is over, and each firing is settled once', async (t) => {
  const { agent, clock, dispatch, held, digested, settled, fire, outbox } = await given(t);
  await fire(0, 10);
  await eventually(() => settled.length === 3);
  assert.equal(held.length, 7);
  assert.equal(held[0]?.forMs, BUDGET_WINDOW_MS);
  assert.equal(dispatch.snapshot().queued, 7);
  assert.equal(outbox.size, 7, 'they stand in the outbox while they wait');
  clock.advance(BUDGET_WINDOW_MS - 1);
  await fire(10, 11);
  assert.equal(agent.sends.length, 3);
  clock.advance(1);
  await eventually(() => settled.length === 11);
  assert.equal(agent.sends.length, 4);
  assert.match(agent.sends[3]?.text ?? '', /^This is a digest of 8 events/);
  assert.deepEqual(new Set(settled.map(({ outcome }) => outcome)), new Set(['delivered']));
  assert.equal(new Set(settled.map(({ delivery }) => delivery.messageId)).size, 11);
  assert.deepEqual(new Set(digested.map(({ messageId }) => messageId)), new Set([agent.sends[3]?.messageId]));
  assert.equal(digested.length, 7);
  assert.equal(outbox.size, 0);
  assert.equal(clock.pending, 0);
});

test('budget: one that waits alone goes out as it is, and the digest counts in its hour', async (t) => {
  const { agent, clock, settled, fire } = await given(t);
  await fire(0, 4);
  await eventually(() => settled.length === 3);
  clock.advance(BUDGET_WINDOW_MS);
  await eventually(() => settled.length === 4);
  assert.equal(agent.sends[3]?.text, 'Pod api restarts.');
  await fire(4, 8);
  await eventually(() => settled.length === 6);
  assert.equal(agent.sends.length, 6, 'two more in this hour');
});

test('budget: a Hook without one, and another Hook, are not held up', async (t) => {
  const { agent, settled, held, fire } = await given(t);
  await fire(0, 4);
  await fire(10, 20, { hook: 'kagent/free', callsPerHour: undefined as never });
  await fire(20, 22, { hook: 'kagent/other' });
  await eventually(() => settled.length === 15);
  assert.equal(agent.sends.length, 15);
  assert.equal(held.length, 1);
});

test('budget: each agent of a Hook has a digest of its own', async (t) => {
  const { agent, clock, settled, fire } = await given(t);
  await fire(0, 5);
  await fire(5, 8, { agent: { namespace: 'kagent', name: 'second' } });
  clock.advance(BUDGET_WINDOW_MS);
  await eventually(() => settled.length === 8);
  assert.deepEqual(
    agent.sends
      .slice(3)
      .map(({ text }) => /digest of \d/.exec(text)?.[0])
      .sort(),
    ['digest of 2', 'digest of 3'],
  );
});

test('budget: when too many wait, their digest goes out at once', async (t) => {
  const { agent, settled, fire } = await given(t);
  await fire(0, MAX_HELD + 5);
  await eventually(() => settled.length === MAX_HELD + 3);
  assert.equal(agent.sends.length, 4);
});

test('budget: a digest that is refused dead-letters all of it, and gives the keys back', async (t) => {
  const refuse: Manners = {
    onSend: (_, before) => (before < 3 ? { kind: 'message' } : { kind: 'says', status: 403, body: 'no' }),
  };
  const { clock, settled, fire, outbox, dispatch } = await given(t, refuse);
  await fire(0, 6);
  await eventually(() => settled.length === 3);
  clock.advance(BUDGET_WINDOW_MS);
  await eventually(() => settled.length === 6);
  assert.equal(settled.filter(({ outcome }) => outcome === 'dead_lettered').length, 3);
  assert.equal(outbox.deadLetterCount, 3);
  assert.equal(dispatch.dedup.size, 3);
  for (const { messageId, firing } of await dispatch.deadLetters.list(ALL)) {
    const { firing: whole, calls } = await dispatch.deadLetters.find(messageId);
    assert.equal(whole.prompt, 'Pod api restarts.', `${firing.resourceName} is not the digest that it went out with`);
    assert.equal(calls?.count, 1);
  }
});

test('budget: a stop does not wait for the hour', async (t) => {
  const { clock, dispatch, settled, fire } = await given(t);
  await fire(0, 6);
  await eventually(() => settled.length === 3);
  const { unfinished } = await dispatch.drain(1_000);
  assert.equal(unfinished, 3);
  assert.equal(
    settled.filter(({ outcome }) => outcome === 'dropped').length,
    3,
    'this outbox does not outlive the process',
  );
  assert.equal(clock.pending, 0);
});

test('budget: what waited when khook ended waits again, and what was on its way goes on', async (t) => {
  const agent = await misbehaving(t, AT_ONCE);
  const clock = new FakeClock();
  const outbox = new MemoryOutbox({ clock });
  const left = Array.from({ length: 7 }, (_, n): Delivery => {
    const state =
      n === 6 ? ({ kind: 'calling', attempt: 1, since: 0 } as const) : ({ kind: 'queued', since: 0 } as const);
    const firing = nthFiring(n, { callsPerHour: 3 });
    return { messageId: `m${n}`, contextId: `c${n}`, eventId: `e${n}`, acceptedAt: clock.wall(), firing, state };
  });
  await outbox.put(left);
  const made = rig(t, { baseUrl: agent.url, clock, outbox });
  assert.equal(await made.dispatch.restore(), 7);
  await eventually(() => made.settled.length === 4);
  assert.deepEqual(agent.sends.map(({ messageId }) => messageId).sort(), ['m0', 'm1', 'm2', 'm6']);
  assert.equal(outbox.size, 3);
  clock.advance(BUDGET_WINDOW_MS);
  await eventually(() => made.settled.length === 7);
  assert.match(agent.sends.at(-1)?.text ?? '', /^This is a digest of 3 events/);
  assert.equal(outbox.size, 0);
});

test('timeout: a Hook may have less patience with a call than khook', async (t) => {
  const agent = await misbehaving(t, { onSend: () => ({ kind: 'hangs' }) });
  const made = rig(t, { baseUrl: agent.url, timeoutMs: 60_000, settings: { callTimeoutMs: 60_000 } });
  await made.dispatch.accept([{ eventId: 'e', firing: nthFiring(1, { timeoutMs: 50 }) }]);
  await eventually(() => made.errors.length > 0);
  assert.equal(made.errors[0]?.code, 'HOST_ERR_AGENT_TIMEOUT');
  assert.match(made.errors[0]?.message ?? '', /raise the Hook's spec\.timeout/);
});

test('timeout: a task is followed as long as the Hook says', async (t) => {
  const agent = await misbehaving(t, { states: ['working'] });
  const made = rig(t, { baseUrl: agent.url });
  await made.dispatch.accept([{ eventId: 'e', firing: nthFiring(1, { timeoutMs: 300 }) }]);
  const { outcome, detail } = await made.settledAt(1);
  assert.equal(outcome, 'dead_lettered');
  assert.match(detail, /did not finish task \S+ within 300 ms/);
});

test('budget: an hour that began before anybody counted goes on, with the calls that were made in it', async (t) => {
  const { clock, dispatch, held, settled, fire } = await given(t);
  await fire(0, 1);
  const { hook } = nthFiring(0);
  dispatch.budgets.takeOver(hook, { startedAt: clock.now() - BUDGET_WINDOW_MS / 2, calls: 1 });
  await fire(1, 4);
  await eventually(() => settled.length === 2);
  assert.deepEqual(
    held.map(({ forMs }) => forMs),
    [BUDGET_WINDOW_MS / 2, BUDGET_WINDOW_MS / 2],
  );
});
