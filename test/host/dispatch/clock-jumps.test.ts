/** Somebody sets the wall clock by an hour under a running khook, which is then started again: nothing may come early, late or twice. */

import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Acceptance } from '../../../host/dispatch/dispatch.ts';
import type { OutboxEvents } from '../../../host/dispatch/events.ts';
import { DEAD_LETTER_BOUNDS } from '../../../host/dispatch/outbox.ts';
import { OUTBOX_FILE } from '../../../host/dispatch/outbox-file.ts';
import type { DispatchSettings } from '../../../host/dispatch/settings.ts';
import type { Firing } from '../../../host/match/verdict.ts';
import { type Clock, systemClock } from '../../../ipc/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { type MisbehavingAgent, WORKS } from '../../support/misbehaving-agent.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { ALL, FAST_RETRY, misbehaving, type Rig, rig } from './dispatch-rig.ts';
import { firing } from './firing.ts';
import { breakFile, DEAD, delivery, openOutbox } from './outbox-support.ts';

const HOUR = 3_600_000;
const STEPS = [HOUR, -HOUR];

/** A machine whose wall clock can be set; it goes on over restarts of khook. */
class Machine {
  #setBy = 0;

  readonly clock: Clock = { ...systemClock, wall: () => systemClock.wall() + this.#setBy };

  set(byMs: number): void {
    this.#setBy += byMs;
  }
}

interface Life extends Rig {
  readonly stepped: OutboxEvents['clock:stepped'][];
  accept(eventId: string, of?: Firing): Promise<Acceptance['kind'] | undefined>;
  end(): Promise<void>;
}

interface Given {
  readonly machine: Machine;
  readonly agent: MisbehavingAgent;
  start(): Promise<Life>;
}

async function given(t: TestContext, settings: Partial<DispatchSettings> = {}): Promise<Given> {
  const [machine, agent, directory] = [new Machine(), await misbehaving(t), tempDir(t)];
  const { clock } = machine;
  const start = async (): Promise<Life> => {
    const { outbox, close } = await openOutbox(t, directory, { clock });
    const stepped: Life['stepped'][number][] = [];
    outbox.events.on('clock:stepped', (each) => stepped.push(each));
    const made = rig(t, { baseUrl: agent.url, outbox, clock, settings });
    await made.dispatch.restore();
    return {
      ...made,
      stepped,
      accept: async (eventId, of = firing()) => (await made.dispatch.accept([{ eventId, firing: of }]))[0]?.kind,
      end: async () => {
        await made.dispatch.drain(0);
        await close();
      },
    };
  };
  return { machine, agent, start };
}

for (const byMs of STEPS) {
  describe(`a clock that is set ${byMs > 0 ? 'forward' : 'back'} by an hour`, () => {
    it('is noticed and told once', async (t) => {
      const { machine, start } = await given(t);
      const life = await start();
      await life.accept('e-1');
      machine.set(byMs);
      await life.settledAt(1);
      await life.accept('e-2', firing({ dedupKey: 'other' }));
      await life.settledAt(2);
      assert.equal(life.stepped.length, 1);
      assert.ok(Math.abs((life.stepped[0]?.byMs ?? 0) - byMs) < 100, String(life.stepped[0]?.byMs));
    });

    it('leaves the dedup window as long as it is, in this life and the next', async (t) => {
      const { machine, agent, start } = await given(t, { dedupWindowMs: 1_200 });
      const first = await start();
      const firedAt = performance.now();
      await first.accept('e-1');
      await first.settledAt(1);
      machine.set(byMs);
      assert.equal(await first.accept('e-2'), 'duplicate');
      await first.end();
      const second = await start();
      assert.equal(await second.accept('e-3'), 'duplicate');
      await eventually(async () => (await second.accept('e-4')) === 'accepted');
      const silentMs = performance.now() - firedAt;
      assert.ok(silentMs >= 1_190 && silentMs < 2_400, `${silentMs} ms`);
      await second.settledAt(1);
      assert.equal(agent.sends.length, 2);
    });

    it('leaves the next attempt when it was due', async (t) => {
      const retry = { ...FAST_RETRY, backoff: { initialMs: 1_500, maxMs: 1_500, factor: 1 }, maxRetryAfterMs: 60_000 };
      const { machine, agent, start } = await given(t, { retry });
      agent.reform({
        onSend: (_, before) =>
          before === 0 ? { kind: 'says', status: 503, body: '', headers: { 'Retry-After': '2' } } : WORKS,
      });
      const first = await start();
      await first.accept('e-1');
      await eventually(() => first.errors.length === 1);
      const failedAt = performance.now();
      machine.set(byMs);
      await first.end();
      const second = await start();
      await second.settledAt(1);
      const waitedMs = performance.now() - failedAt;
      assert.ok(waitedMs >= 1_800 && waitedMs < 4_000, `${waitedMs} ms`);
    });

    it('ends no task that an agent works on', async (t) => {
      const { machine, agent, start } = await given(t, { taskTimeoutMs: 30_000 });
      agent.reform({ states: ['working'] });
      const first = await start();
      await first.accept('e-1');
      await eventually(() => agent.calls.some(({ method }) => method === 'GetTask'));
      machine.set(byMs);
      await first.end();
      const second = await start();
      const asked = agent.calls.length;
      await eventually(() => agent.calls.length > asked + 1);
      assert.deepEqual(second.settled, []);
      agent.reform({});
      assert.equal((await second.settledAt(1)).outcome, 'delivered');
      assert.equal(agent.sends.length, 1);
    });

    it('makes no firing too old, nor keeps one that is', async (t) => {
      const { machine, agent, start } = await given(t, { maxAgeMs: 2_500 });
      await agent.stop();
      const first = await start();
      const acceptedAt = performance.now();
      await first.accept('e-1');
      await eventually(() => first.errors.length === 1);
      machine.set(byMs);
      await first.end();
      const second = await start();
      assert.equal((await second.settledAt(1)).outcome, 'dead_lettered');
      const waitedMs = performance.now() - acceptedAt;
      assert.ok(waitedMs >= 2_400 && waitedMs < 4_500, `${waitedMs} ms`);
    });

    it('leaves the next attempt when it was due while the disk is full, too', async (t) => {
      const { machine, agent, start } = await given(t, { retry: { ...FAST_RETRY, maxRetryAfterMs: 60_000 } });
      const sentAt: number[] = [];
      agent.reform({
        onSend: (_, before) => {
          sentAt.push(performance.now());
          return before === 0 ? { kind: 'says', status: 503, body: '', headers: { 'Retry-After': '3' } } : WORKS;
        },
      });
      const life = await start();
      // What comes of the first call cannot be recorded before the clock was set.
      const broken = Promise.withResolvers<{ mend(): void }>();
      const unsubscribe = life.dispatch.events.on('call:started', () => {
        unsubscribe();
        broken.resolve(breakFile(t));
      });
      await life.accept('e-1');
      await eventually(() => life.outbox.fault !== null);
      await eventually(() => performance.now() > (sentAt[0] ?? 0) + 1_500);
      machine.set(byMs);
      (await broken.promise).mend();
      await life.settledAt(1);
      const waitedMs = (sentAt[1] ?? 0) - (sentAt[0] ?? 0);
      assert.ok(waitedMs >= 2_900 && waitedMs < 4_300, `${waitedMs} ms`);
    });
  });
}

describe('a clock that is set', () => {
  it('is written down before long, also when nothing happens, so that a killed host does not forget it', async (t) => {
    const [clock, directory] = [new FakeClock(Date.now()), tempDir(t)];
    const open = await openOutbox(t, directory, { clock });
    await open.outbox.put([delivery(1)]);
    const [before] = await open.outbox.fired();
    clock.shiftWall(-HOUR);
    await clock.advance(10_000);
    await settle();
    // As if it had been killed: what it does when it closes changes nothing.
    await open.close();
    const again = await openOutbox(t, directory, { clock });
    const [after] = await again.outbox.fired();
    assert.equal(after?.firstSeen, (before?.firstSeen ?? 0) - HOUR);
    assert.equal((await again.outbox.list())[0]?.acceptedAt, delivery(1).acceptedAt - HOUR);
  });

  it('while the file cannot be read yet is taken into account when it can', async (t) => {
    const clock = new FakeClock(Date.now());
    const directory = tempDir(t);
    const first = await openOutbox(t, directory, { clock });
    await first.outbox.put([delivery(1)]);
    await first.close();
    const path = join(directory, OUTBOX_FILE);
    renameSync(path, `${path}.elsewhere`);
    mkdirSync(path);
    const second = await openOutbox(t, directory, { clock });
    assert.equal(second.outbox.fault?.kind, 'read-only');
    clock.shiftWall(HOUR);
    rmdirSync(path);
    renameSync(`${path}.elsewhere`, path);
    await clock.advance(10_000);
    assert.equal((await second.outbox.list())[0]?.acceptedAt, delivery(1).acceptedAt + HOUR);
  });

  it('does not make dead letters old, however far it is set', async (t) => {
    const clock = new FakeClock(Date.now());
    const directory = tempDir(t);
    const deadLetters = { ...DEAD_LETTER_BOUNDS, maxAgeMs: 60_000 };
    const first = await openOutbox(t, directory, { clock, deadLetters });
    await first.outbox.bury(delivery(1, DEAD));
    clock.shiftWall(10_000 * HOUR);
    await clock.advance(20_000);
    assert.equal(first.outbox.deadLetterCount, 1);
    await first.close();
    const second = await openOutbox(t, directory, { clock, deadLetters });
    await clock.advance(20_000);
    await settle();
    assert.equal((await second.outbox.deadLetters(ALL)).length, 1);
    await clock.advance(60_000);
    await settle();
    assert.equal((await second.outbox.deadLetters(ALL)).length, 0);
  });

  it('a little, as clocks are all the time, is no step', async (t) => {
    const clock = new FakeClock(Date.now());
    const { outbox, said } = await openOutbox(t, tempDir(t), { clock });
    clock.shiftWall(900);
    await outbox.put([delivery(1)]);
    await clock.advance(60_000);
    assert.deepEqual(said, ['outbox:opened']);
  });
});
