/** Dead letters that are sent out again or dropped, in front of a real agent, in memory and in a file. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DispatchSettings } from '../../../host/dispatch/settings.ts';
import type { Firing } from '../../../host/match/verdict.ts';
import { eventually } from '../../support/eventually.ts';
import type { Manners, MisbehavingAgent } from '../../support/misbehaving-agent.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { ALL, misbehaving, type Rig, rig } from './dispatch-rig.ts';
import { firing, nthFiring } from './firing.ts';
import { breakFile, DEAD, delivery, openOutbox } from './outbox-support.ts';

const REFUSES: Manners = { onSend: () => ({ kind: 'says', status: 404, body: 'no such agent' }) };
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

interface Given extends Rig {
  readonly agent: MisbehavingAgent;
  /** Its messageId, once it is a dead letter. */
  dead(eventId: string, of?: Firing): Promise<string>;
  end(): Promise<void>;
}

interface GivenOptions {
  readonly directory?: string;
  readonly settings?: Partial<DispatchSettings>;
  readonly capacity?: number;
  readonly agent?: MisbehavingAgent;
}

async function given(t: TestContext, options: GivenOptions = {}): Promise<Given> {
  const { directory, settings = {}, capacity = 100 } = options;
  const agent = options.agent ?? (await misbehaving(t, REFUSES));
  const file = directory === undefined ? null : await openOutbox(t, directory);
  const made = rig(t, { baseUrl: agent.url, settings, capacity, ...(file === null ? {} : { outbox: file.outbox }) });
  await made.dispatch.restore();
  const dead = async (eventId: string, of: Firing = firing()): Promise<string> => {
    await made.dispatch.accept([{ eventId, firing: of }]);
    const settled = await eventually(() => made.settled.find(({ delivery }) => delivery.eventId === eventId));
    assert.equal(settled.outcome, 'dead_lettered');
    return settled.delivery.messageId;
  };
  const end = async (): Promise<void> => {
    await made.dispatch.drain(0);
    await file?.close();
  };
  return { ...made, agent, dead, end };
}

for (const where of ['memory', 'a file'] as const) {
  const place = (t: TestContext): GivenOptions => (where === 'memory' ? {} : { directory: tempDir(t) });

  describe(`dead letters in ${where}`, () => {
    it('are sent again under the same messageId and context, and are none from then on', async (t) => {
      const { agent, dead, dispatch, outbox, settledAt } = await given(t, place(t));
      const id = await dead('e-1');
      agent.reform({});
      const redriven = await dispatch.deadLetters.redrive(id);
      assert.equal(outbox.deadLetterCount, 0);
      assert.equal(redriven.messageId, id);
      const { outcome, delivery } = await settledAt(2);
      assert.deepEqual([outcome, delivery.messageId, delivery.eventId], ['delivered', id, 'e-1']);
      assert.deepEqual(new Set(agent.sends.map(({ messageId }) => messageId)), new Set([id]));
      assert.equal(new Set(agent.sends.map(({ contextId }) => contextId)).size, 1);
      assert.equal(outbox.size, 0);
      await assert.rejects(dispatch.deadLetters.redrive(id), { code: 'HOST_ERR_DEAD_LETTER_UNKNOWN' });
    });

    it('tell how often and when their agent was called, over all that was tried', async (t) => {
      const { dead, dispatch, settledAt } = await given(t, place(t));
      const from = Date.now();
      const id = await dead('e-1');
      const first = await dispatch.deadLetters.find(id);
      assert.equal(first.calls?.count, 1);
      assert.ok((first.calls?.firstAt ?? 0) >= from && first.calls?.lastAt === first.calls?.firstAt);
      assert.equal(first.firing.prompt, firing().prompt);
      await dispatch.deadLetters.redrive(id);
      await settledAt(2);
      const again = await dispatch.deadLetters.find(id);
      assert.deepEqual([again.calls?.count, again.calls?.firstAt], [2, first.calls?.firstAt]);
      assert.ok((again.redrivenAt ?? 0) >= from && again.acceptedAt === first.acceptedAt);
    });

    it('are listed newest first, of one Hook or one agent, without their prompts', async (t) => {
      const { dead, dispatch } = await given(t, place(t));
      const other = { namespace: 'shop', name: 'other' };
      const ids = [
        await dead('e-1', nthFiring(1)),
        await dead('e-2', nthFiring(2, { hook: 'shop/h' })),
        await dead('e-3', nthFiring(3, { agent: other })),
      ];
      const list = async (query: object): Promise<number[]> =>
        (await dispatch.deadLetters.list({ ...ALL, ...query })).map(({ messageId }) => ids.indexOf(messageId) + 1);
      assert.deepEqual(await list({}), [3, 2, 1]);
      assert.deepEqual(await list({ limit: 2 }), [3, 2]);
      assert.deepEqual(await list({ hook: 'shop/h' }), [2]);
      assert.deepEqual(await list({ agent: 'shop/other' }), [3]);
      assert.deepEqual(await list({ agent: 'shop/other', hook: 'shop/h' }), []);
      const [newest] = await dispatch.deadLetters.list(ALL);
      assert.equal(newest?.firing.prompt, '');
    });

    it('stay when the same has fired again since, so that nothing is told twice within the window', async (t) => {
      const { agent, dead, dispatch, settledAt } = await given(t, { ...place(t), settings: { dedupWindowMs: 400 } });
      const id = await dead('e-1');
      agent.reform({});
      await dispatch.accept([{ eventId: 'e-2', firing: firing() }]);
      await settledAt(2);
      await assert.rejects(dispatch.deadLetters.redrive(id), {
        code: 'HOST_ERR_DEAD_LETTER_HELD',
        message: /has fired again for api.*must not be told twice.*window ends at \d{4}-.*try again then, or drop it/,
      });
      assert.equal((await dispatch.deadLetters.find(id)).messageId, id);
      await eventually(() => dispatch.deadLetters.redrive(id));
      await settledAt(3);
      assert.equal(agent.sends.length, 3);
    });

    it('of one key are sent again one at a time, the first that is asked for', async (t) => {
      const { agent, dead, dispatch, settledAt } = await given(t, place(t));
      const ids = [await dead('e-1'), await dead('e-2'), await dead('e-3')];
      agent.reform({});
      const results = await Promise.allSettled(ids.toReversed().map((id) => dispatch.deadLetters.redrive(id)));
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected'],
      );
      assert.equal((await settledAt(4)).delivery.eventId, 'e-3');
      assert.equal((await dispatch.deadLetters.list(ALL)).length, 2);
    });

    it('that die again give their key back and are dead letters again', async (t) => {
      const { dead, dispatch, settledAt } = await given(t, place(t));
      const id = await dead('e-1');
      for (let n = 2; n < 5; n += 1) {
        await dispatch.deadLetters.redrive(id);
        assert.equal((await settledAt(n)).outcome, 'dead_lettered');
      }
      assert.equal((await dispatch.deadLetters.list(ALL)).length, 1);
    });

    it('asked for twice at once are sent once', async (t) => {
      const { agent, dead, dispatch, settledAt } = await given(t, place(t));
      const id = await dead('e-1');
      agent.reform({});
      const asked = await Promise.allSettled([
        dispatch.deadLetters.redrive(id),
        dispatch.deadLetters.redrive(id),
        dispatch.deadLetters.drop(id),
      ]);
      const codes = asked.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'done'));
      assert.deepEqual(codes, ['done', 'HOST_ERR_DEAD_LETTER_HELD', 'HOST_ERR_DEAD_LETTER_HELD']);
      await settledAt(2);
      assert.equal(agent.sends.length, 2);
    });

    it('are forgotten when they are dropped', async (t) => {
      const { dead, dispatch, outbox } = await given(t, place(t));
      const [first, second] = [await dead('e-1', nthFiring(1)), await dead('e-2', nthFiring(2))];
      await dispatch.deadLetters.drop(first);
      assert.deepEqual(
        (await dispatch.deadLetters.list(ALL)).map(({ messageId }) => messageId),
        [second],
      );
      assert.equal(outbox.deadLetterCount, 1);
      for (const ask of [dispatch.deadLetters.drop(first), dispatch.deadLetters.find(UNKNOWN)])
        await assert.rejects(ask, {
          code: 'HOST_ERR_DEAD_LETTER_UNKNOWN',
          message: /There is no dead letter .*dead-letters list/,
        });
    });

    it('stay while the outbox is full, and while khook stops', async (t) => {
      const { agent, dead, dispatch, end } = await given(t, { ...place(t), capacity: 1 });
      const id = await dead('e-1', nthFiring(1));
      agent.reform({ states: ['working'] });
      await dispatch.accept([{ eventId: 'e-2', firing: nthFiring(2) }]);
      await assert.rejects(dispatch.deadLetters.redrive(id), { code: 'HOST_ERR_OUTBOX_FULL' });
      assert.equal((await dispatch.deadLetters.find(id)).messageId, id);
      await end();
      await assert.rejects(dispatch.deadLetters.redrive(id), { code: 'HOST_ERR_STOPPING' });
    });
  });
}

describe('dead letters and later lives', () => {
  it('one that was sent again is delivered by the next life, and its age counts from then', async (t) => {
    const directory = tempDir(t);
    // Accepted in 1970, by its record.
    const letter = delivery(1, DEAD);
    const settings = { maxAgeMs: 3_600_000 };
    const agent = await misbehaving(t, { states: ['working'] });
    const first = await given(t, { directory, agent, settings });
    await first.outbox.bury(letter);
    await first.dispatch.deadLetters.redrive(letter.messageId);
    await eventually(() => agent.sends.length === 1);
    await first.end();
    agent.reform({});
    const second = await given(t, { directory, agent, settings });
    const { outcome, delivery: settled } = await second.settledAt(1);
    assert.deepEqual([outcome, settled.messageId, agent.sends.length], ['delivered', letter.messageId, 1]);
    const again = await second.dispatch.accept([{ eventId: 'e-2', firing: nthFiring(1) }]);
    assert.equal(again[0]?.kind, 'duplicate');
    assert.deepEqual(await second.dispatch.deadLetters.list(ALL), []);
  });

  it('gives its key back when it dies in the next life, as its own', async (t) => {
    const directory = tempDir(t);
    const first = await given(t, { directory });
    const id = await first.dead('e-1');
    first.agent.reform({ onSend: () => ({ kind: 'hangs' }) });
    await first.dispatch.deadLetters.redrive(id);
    await first.end();
    first.agent.reform(REFUSES);
    const second = await given(t, { directory, agent: first.agent });
    assert.equal((await second.settledAt(1)).outcome, 'dead_lettered');
    assert.equal((await second.dispatch.accept([{ eventId: 'e-2', firing: firing() }]))[0]?.kind, 'accepted');
  });
});

describe('dead letters and a file at fault', () => {
  it('whoever asks is told at once, and nothing changes', async (t) => {
    const { dead, dispatch, outbox, accept } = await broken(t);
    const id = await dead('e-1');
    const file = breakFile(t);
    const waiting = accept(nthFiring(2));
    await eventually(() => outbox.fault !== null);
    for (const ask of [dispatch.deadLetters.redrive(id), dispatch.deadLetters.drop(id)])
      await assert.rejects(ask, { code: 'HOST_ERR_OUTBOX', message: /no space is left/ });
    assert.equal((await dispatch.deadLetters.find(id)).messageId, id, 'they can be read');
    file.mend();
    await waiting;
    assert.equal((await dispatch.deadLetters.find(id)).messageId, id);
  });

  it('whoever finds the fault is told, and what was asked for is done when it is over', async (t) => {
    const { agent, dead, dispatch, settledAt } = await broken(t);
    const id = await dead('e-1');
    agent.reform({});
    const file = breakFile(t);
    await assert.rejects(dispatch.deadLetters.redrive(id), {
      code: 'HOST_ERR_OUTBOX',
      message: /no space is left.*What was asked for is done then/,
    });
    assert.equal(agent.sends.length, 1);
    file.mend();
    assert.equal((await settledAt(2)).outcome, 'delivered');
  });

  it('what could not be written when khook stops stays a dead letter, and its key is free', async (t) => {
    const directory = tempDir(t);
    const first = await broken(t, directory);
    const id = await first.dead('e-1');
    const file = breakFile(t);
    await assert.rejects(first.dispatch.deadLetters.redrive(id), { code: 'HOST_ERR_OUTBOX' });
    await first.dispatch.drain(0);
    file.mend();
    await first.end();
    const second = await given(t, { directory, agent: first.agent });
    assert.equal((await second.dispatch.deadLetters.find(id)).messageId, id);
    assert.equal((await second.dispatch.accept([{ eventId: 'e-2', firing: firing() }]))[0]?.kind, 'accepted');
  });

  async function broken(t: TestContext, directory = tempDir(t)) {
    const made = await given(t, { directory });
    const accept = (of: Firing) => made.dispatch.accept([{ eventId: 'e-other', firing: of }]);
    return { ...made, accept };
  }
});
