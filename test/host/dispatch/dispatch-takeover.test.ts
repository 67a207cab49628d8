import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { A2aClient } from '../../../host/dispatch/a2a-client.ts';
import { Dispatch } from '../../../host/dispatch/dispatch.ts';
import { MemoryOutbox } from '../../../host/dispatch/memory-outbox.ts';
import type { RecordedFiring } from '../../../host/dispatch/takeover.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { misbehaving, rig } from './dispatch-rig.ts';
import { nthFiring } from './firing.ts';

function record(n: number, changes: Partial<RecordedFiring> = {}): RecordedFiring {
  const { dedupKey, hook, eventType, resourceName } = nthFiring(n);
  const now = Date.now();
  const times = { firstSeen: now - 1_000, lastSeen: now, lastNotified: now - 500 };
  return { dedupKey, hook, eventType, resourceName, messageId: `theirs-${n}`, ...times, ...changes };
}

describe('dispatch that takes over', () => {
  it('neither repeats what was sent nor loses what was not, which keeps its messageId', async (t) => {
    const agent = await misbehaving(t);
    const { dispatch, settledAt } = rig(t, { baseUrl: agent.url });
    await dispatch.restore([record(1), record(2, { lastNotified: null })]);
    const acceptances = await dispatch.accept([1, 2].map((n) => ({ eventId: `e${n}`, firing: nthFiring(n) })));
    assert.equal(acceptances[0]?.kind, 'duplicate');
    assert.deepEqual(acceptances[1], { kind: 'accepted', messageId: 'theirs-2' });
    const { delivery, outcome } = await settledAt(1);
    assert.deepEqual([delivery.messageId, outcome], ['theirs-2', 'delivered']);
  });

  it('ends what another khook has seen to in the ledger, without a call', async (t) => {
    const agent = await misbehaving(t);
    const outbox = new MemoryOutbox({ clock: systemClock });
    const acceptedAt = Date.now() - 5_000;
    const state = { kind: 'queued', since: acceptedAt } as const;
    await outbox.put([{ messageId: 'mine', contextId: 'c', eventId: 'e', acceptedAt, firing: nthFiring(1), state }]);
    const { dispatch, settled, said } = rig(t, { baseUrl: agent.url, outbox });
    assert.equal(await dispatch.restore([record(1)]), 0);
    assert.deepEqual(
      settled.map(({ delivery, outcome }) => [delivery.messageId, outcome]),
      [['mine', 'duplicate']],
    );
    assert.equal(outbox.size, 0);
    assert.ok(!said.includes('call:started'));
  });

  it('sends nothing before the firing is recorded, and stops at once all the same', async (t) => {
    const agent = await misbehaving(t);
    const recorded = Promise.withResolvers<void>();
    const client = new A2aClient({
      baseUrl: agent.url,
      userId: 'u',
      timeoutMs: 2_000,
      clock: systemClock,
      agentUrl: null,
    });
    t.after(() => client[Symbol.asyncDispose]());
    const asked: string[] = [];
    const dispatch = new Dispatch({
      ...{ clock: systemClock, outbox: new MemoryOutbox({ clock: systemClock }), client },
      recorded: (hook) => {
        asked.push(hook);
        return asked.length === 1 ? recorded.promise : new Promise(() => undefined);
      },
    });
    const said: string[] = [];
    for (const name of ['firing:accepted', 'call:started'] as const) dispatch.events.on(name, () => said.push(name));
    await dispatch.accept([{ eventId: 'e', firing: nthFiring(1) }]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([asked, said], [['kagent/crashes'], ['firing:accepted']]);
    recorded.resolve();
    await eventually(() => said.includes('call:started'));
    await dispatch.accept([{ eventId: 'e', firing: nthFiring(2) }]);
    const before = performance.now();
    await dispatch.drain(0);
    assert.ok(performance.now() - before < 1_000);
    assert.equal(said.filter((name) => name === 'call:started').length, 1);
  });
});
