/** Dispatch before an outbox in a file: what a next life takes up, and what happens while the file cannot be written. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Acceptance } from '../../../host/dispatch/dispatch.ts';
import type { DispatchSettings } from '../../../host/dispatch/settings.ts';
import type { Firing } from '../../../host/match/verdict.ts';
import { type Clock, systemClock } from '../../../ipc/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { settle } from '../../support/fake-clock.ts';
import { MisbehavingAgent } from '../../support/misbehaving-agent.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { ALL, FAST_RETRY, misbehaving, type Rig, rig } from './dispatch-rig.ts';
import { firing, nthFiring } from './firing.ts';
import { breakFile, openOutbox } from './outbox-support.ts';

interface Life extends Rig {
  accept(eventId: string, of: Firing): Promise<Acceptance | undefined>;
  /** Stops as a host does; what is under way stays in the outbox. */
  end(): Promise<void>;
}

interface LifeOptions {
  readonly directory: string;
  readonly baseUrl: string;
  readonly clock?: Clock;
  readonly settings?: Partial<DispatchSettings>;
}

async function live(t: TestContext, { directory, clock = systemClock, ...options }: LifeOptions): Promise<Life> {
  const { outbox, close } = await openOutbox(t, directory, { clock });
  const made = rig(t, { ...options, outbox, clock });
  const restored = made.dispatch.restore();
  restored.catch(() => undefined);
  const accept = async (eventId: string, of: Firing): Promise<Acceptance | undefined> =>
    (await made.dispatch.accept([{ eventId, firing: of }]))[0];
  const end = async (): Promise<void> => {
    await made.dispatch.drain(0);
    await close();
  };
  return { ...made, accept, end };
}

/** The system's, with a wall clock that somebody has set. */
function shifted(ms: number): Clock {
  return { ...systemClock, wall: () => systemClock.wall() + ms };
}

describe('dispatch and what outlives it', () => {
  it('follows the task of an earlier life to its end, under the same messageId and without sending again', async (t) => {
    const agent = await misbehaving(t, { states: ['working'] });
    const [directory, baseUrl] = [tempDir(t), agent.url];
    const first = await live(t, { directory, baseUrl });
    const acceptance = await first.accept('e-1', firing());
    await eventually(() => agent.calls.some(({ method }) => method === 'GetTask'));
    await first.end();
    assert.deepEqual(first.settled, []);
    const second = await live(t, { directory, baseUrl });
    agent.reform({ states: ['completed'] });
    const { outcome, delivery } = await second.settledAt(1);
    assert.equal(outcome, 'delivered');
    assert.equal(acceptance?.kind === 'accepted' ? acceptance.messageId : '', delivery.messageId);
    assert.equal(agent.sends.length, 1);
    assert.equal(second.outbox.size, 0);
  });

  it('keeps a key silent for what is left of its window, delivered or not', async (t) => {
    const agent = await misbehaving(t);
    const [directory, baseUrl] = [tempDir(t), agent.url];
    const settings = { dedupWindowMs: 1_500 };
    const first = await live(t, { directory, baseUrl, settings });
    const firedAt = performance.now();
    await first.accept('e-1', firing());
    await first.settledAt(1);
    await first.end();
    const second = await live(t, { directory, baseUrl, settings });
    assert.equal((await second.accept('e-2', firing()))?.kind, 'duplicate');
    await eventually(async () => (await second.accept('e-3', firing()))?.kind === 'accepted');
    const silentMs = performance.now() - firedAt;
    assert.ok(silentMs >= 1_490 && silentMs < 3_000, `${silentMs} ms`);
    await second.settledAt(1);
    assert.equal(agent.sends.length, 2);
  });

  it('is silent for one window at most after the clock was set back, and fires early after it was set forward', async (t) => {
    const agent = await misbehaving(t);
    for (const [shiftMs, expected] of [
      [-3_600_000, 'duplicate'],
      [3_600_000, 'accepted'],
    ] as const) {
      const options = { directory: tempDir(t), baseUrl: agent.url, settings: { dedupWindowMs: 400 } };
      const first = await live(t, options);
      await first.accept('e-1', firing());
      await first.settledAt(1);
      await first.end();
      const second = await live(t, { ...options, clock: shifted(shiftMs) });
      const from = performance.now();
      assert.equal((await second.accept('e-2', firing()))?.kind, expected);
      if (expected === 'accepted') continue;
      await eventually(async () => (await second.accept('e-3', firing()))?.kind === 'accepted');
      assert.ok(performance.now() - from < 1_000, `${performance.now() - from} ms`);
    }
  });

  it('gives the key of a dead letter back, in the next life too', async (t) => {
    const agent = await misbehaving(t, { onSend: () => ({ kind: 'says', status: 404, body: '' }) });
    const [directory, baseUrl] = [tempDir(t), agent.url];
    const first = await live(t, { directory, baseUrl });
    await first.accept('e-1', firing());
    assert.equal((await first.settledAt(1)).outcome, 'dead_lettered');
    await first.end();
    const second = await live(t, { directory, baseUrl });
    assert.equal((await second.dispatch.deadLetters.list(ALL))[0]?.eventId, 'e-1');
    assert.equal((await second.accept('e-2', firing()))?.kind, 'accepted');
  });

  it('does not let an old firing give back a key that has fired again since', async (t) => {
    const agent = await misbehaving(t, { onSend: ({ text }) => ({ kind: text === 'old' ? 'hangs' : 'works' }) });
    const options = { directory: tempDir(t), baseUrl: agent.url, settings: { dedupWindowMs: 300 } };
    const first = await live(t, options);
    await first.accept('e-old', firing({ prompt: 'old' }));
    await eventually(async () => (await first.accept('e-new', firing({ prompt: 'new' })))?.kind === 'accepted');
    await first.settledAt(1);
    await first.end();
    agent.reform({ onSend: () => ({ kind: 'says', status: 404, body: '' }) });
    const second = await live(t, { ...options, settings: { dedupWindowMs: 60_000 } });
    const { delivery, outcome } = await second.settledAt(1);
    assert.deepEqual([delivery.eventId, outcome], ['e-old', 'dead_lettered']);
    assert.equal((await second.accept('e-3', firing()))?.kind, 'duplicate');
  });

  it('lets a duplicate wait for the firing that it repeats', async (t) => {
    const agent = await misbehaving(t);
    const { accept, outbox, end } = await live(t, { directory: tempDir(t), baseUrl: agent.url });
    const file = breakFile(t);
    const told: string[] = [];
    const original = accept('e-1', firing()).then((acceptance) => told.push(`original ${acceptance?.kind}`));
    const repeat = accept('e-2', firing()).then((acceptance) => told.push(`repeat ${acceptance?.kind}`));
    await settle();
    await eventually(() => outbox.fault !== null);
    await settle();
    assert.deepEqual(told, []);
    assert.equal(agent.sends.length, 0);
    file.mend();
    await Promise.all([original, repeat]);
    assert.deepEqual(told, ['original accepted', 'repeat duplicate']);
    await end();
  });

  it('drops what could not be written when it stops, and its duplicates with it; nothing of them is left', async (t) => {
    const agent = await misbehaving(t);
    const directory = tempDir(t);
    const first = await live(t, { directory, baseUrl: agent.url });
    const file = breakFile(t);
    const waiting = [first.accept('e-1', firing()), first.accept('e-2', firing()), first.accept('e-3', nthFiring(3))];
    await eventually(() => first.outbox.fault !== null);
    first.dispatch.release();
    const dropped = { kind: 'dropped', reason: 'shutdown' };
    assert.deepEqual(await Promise.all(waiting), [dropped, dropped, dropped]);
    file.mend();
    await first.end();
    const second = await live(t, { directory, baseUrl: agent.url });
    assert.equal((await second.accept('e-4', firing()))?.kind, 'accepted');
    assert.equal((await second.settledAt(1)).delivery.eventId, 'e-4');
  });

  it('begins no call that it cannot record, and goes on when it can', async (t) => {
    const agent = await misbehaving(t);
    const { accept, outbox, settledAt } = await live(t, { directory: tempDir(t), baseUrl: agent.url });
    await accept('e-1', firing());
    const file = breakFile(t);
    await eventually(() => outbox.fault !== null);
    await settle();
    assert.equal(agent.sends.length, 0);
    file.mend();
    assert.equal((await settledAt(1)).outcome, 'delivered');
    assert.equal(agent.sends[0]?.messageId, (await settledAt(1)).delivery.messageId);
  });

  it('takes an agent that is down for no attempt: it is called again until it is there', async (t) => {
    const agent = new MisbehavingAgent();
    await agent.listen();
    const baseUrl = agent.url;
    await agent.stop();
    const retry = { ...FAST_RETRY, attempts: 1 };
    const circuit = { failures: 100, pauseMs: 50 };
    const life = await live(t, { directory: tempDir(t), baseUrl, settings: { retry, circuit } });
    await life.accept('e-1', firing());
    await eventually(() => life.errors.length > 4);
    await agent.listen();
    t.after(() => agent.stop());
    const { outcome, delivery } = await life.settledAt(1);
    assert.equal(outcome, 'delivered');
    assert.equal(agent.taken.get(delivery.messageId), 1);
  });

  it('gives up on an agent that is down when the firing has waited as long as it may, over all lives', async (t) => {
    const agent = new MisbehavingAgent();
    await agent.listen();
    const baseUrl = agent.url;
    await agent.stop();
    const options = { directory: tempDir(t), baseUrl, settings: { retry: FAST_RETRY, maxAgeMs: 3_600_000 } };
    const first = await live(t, options);
    await first.accept('e-1', firing());
    await eventually(() => first.errors.length > 1);
    await first.end();
    // An hour later, as far as anybody can tell.
    const second = await live(t, { ...options, clock: shifted(3_600_000) });
    const { outcome, detail } = await second.settledAt(1);
    assert.equal(outcome, 'dead_lettered');
    assert.match(detail, /^HOST_ERR_OUTBOX_AGE: .*settings\.delivery\.maxAge.*could not be reached/);
    assert.equal(second.outbox.deadLetterCount, 1);
  });
});
