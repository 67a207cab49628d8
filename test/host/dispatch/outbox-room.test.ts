import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';
import { bytesOf } from '../../../host/dispatch/delivery.ts';
import type { DispatchEvents } from '../../../host/dispatch/events.ts';
import { MemoryOutbox } from '../../../host/dispatch/memory-outbox.ts';
import { OutboxRoom } from '../../../host/dispatch/outbox-room.ts';
import { DISPATCH_DEFAULTS, type OutboxRoomSettings } from '../../../host/dispatch/settings.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import type { Manners, MisbehavingAgent } from '../../support/misbehaving-agent.ts';
import { misbehaving, type Rig, rig } from './dispatch-rig.ts';
import { nthFiring } from './firing.ts';
import { delivery, idsIn } from './outbox-support.ts';

const NEVER_DONE: Manners = { states: ['working'] };

interface Given extends Rig {
  readonly agent: MisbehavingAgent;
  readonly full: DispatchEvents['outbox:full'][];
  readonly roomy: DispatchEvents['outbox:roomy'][];
  /** Firings of these numbers, in one batch; what is told of each, once it is told. */
  accept(...numbers: number[]): { readonly told: string[]; readonly done: Promise<void> };
}

async function given(
  t: TestContext,
  settings: Partial<OutboxRoomSettings>,
  manners: Manners = NEVER_DONE,
): Promise<Given> {
  const agent = await misbehaving(t, manners);
  const room = { ...DISPATCH_DEFAULTS.room, ...settings };
  const made = rig(t, { baseUrl: agent.url, settings: { room, concurrencyPerAgent: 100 } });
  const [full, roomy]: [Given['full'][number][], Given['roomy'][number][]] = [[], []];
  made.dispatch.events.on('outbox:full', (each) => full.push(each));
  made.dispatch.events.on('outbox:roomy', (each) => roomy.push(each));
  const accept: Given['accept'] = (...numbers) => {
    const told: string[] = [];
    const firings = numbers.map((n) => ({ eventId: `e-${n}`, firing: nthFiring(n) }));
    const done = made.dispatch.accept(firings).then((acceptances) => {
      told.push(...acceptances.map(({ kind }) => kind));
    });
    return { told, done };
  };
  return { ...made, agent, full, roomy, accept };
}

describe('outbox room, whenFull: dead_letter', () => {
  it('takes what fits in number and hands the rest back, in order', async (t) => {
    const { accept, outbox, settled } = await given(t, { maxFirings: 3 });
    await accept(1, 2).done;
    await accept(3, 4, 5).done;
    await eventually(() => settled.length === 2);
    assert.deepEqual(
      settled.map(({ delivery: { eventId } }) => eventId),
      ['e-4', 'e-5'],
    );
    assert.equal(outbox.size, 3);
  });

  it('takes what fits in bytes, and one of any size when it is empty', async (t) => {
    const maxBytes = bytesOf(delivery(1)) * 2 + 10;
    const { accept, outbox, settled } = await given(t, { maxBytes });
    await accept(1, 2, 3).done;
    await eventually(() => settled.length === 1);
    assert.match(settled[0]?.detail ?? '', /^HOST_ERR_OUTBOX_FULL/);
    assert.equal(outbox.bytes, bytesOf(delivery(1)) * 2);
    const tiny = await given(t, { maxBytes: 1 });
    await tiny.accept(1, 2).done;
    await eventually(() => tiny.settled.length === 1);
    assert.deepEqual([tiny.outbox.size, tiny.settled[0]?.delivery.eventId], [1, 'e-2']);
  });
});

describe('outbox room, whenFull: block', () => {
  it('lets whoever comes wait, in order, and dead-letters nothing', async (t) => {
    const { accept, agent, outbox, settled, full, roomy, dispatch } = await given(t, {
      maxFirings: 2,
      whenFull: 'block',
    });
    await accept(1, 2).done;
    const [third, fourth] = [accept(3), accept(4)];
    await settle();
    assert.deepEqual([third.told, fourth.told, outbox.size], [[], [], 2]);
    assert.equal(dispatch.isHeldBack, true);
    agent.reform({});
    const order: string[] = [];
    await Promise.all([third.done.then(() => order.push('third')), fourth.done.then(() => order.push('fourth'))]);
    assert.deepEqual(order, ['third', 'fourth']);
    await eventually(() => settled.length === 4);
    assert.deepEqual(new Set(settled.map(({ outcome }) => outcome)), new Set(['delivered']));
    assert.deepEqual([full.length, full[0]?.firings, roomy.length], [1, 2, 1]);
    assert.equal(dispatch.isHeldBack, false);
  });

  it('takes a batch as a whole, also one that is larger than the outbox', async (t) => {
    const { accept, outbox, settled } = await given(t, { maxFirings: 2, whenFull: 'block' }, {});
    await accept(1, 2, 3, 4, 5).done;
    assert.equal(outbox.size, 5);
    await accept(6, 7, 8).done;
    await eventually(() => settled.length === 8);
    assert.deepEqual(new Set(settled.map(({ outcome }) => outcome)), new Set(['delivered']));
  });

  it('lets nobody overtake those who wait, in the moment in which something has left', async () => {
    const clock = new FakeClock();
    const outbox = new MemoryOutbox({ clock });
    const settings = { ...DISPATCH_DEFAULTS.room, maxFirings: 1, whenFull: 'block' } as const;
    const room = new OutboxRoom({ outbox, settings, clock, events: new Emitter<DispatchEvents>() });
    await room.put([delivery(1)]);
    const waits = room.put([delivery(2)]);
    await outbox.remove('message-1');
    const comes = room.put([delivery(3)]);
    room.admit();
    await waits;
    assert.deepEqual(await idsIn({ outbox }), ['message-2']);
    room.release();
    await assert.rejects(comes, { code: 'HOST_ERR_STOPPING' });
  });

  it('holds back by bytes too', async (t) => {
    const { accept, agent, outbox } = await given(t, { maxBytes: bytesOf(delivery(1)), whenFull: 'block' });
    await accept(1).done;
    const second = accept(2);
    await settle();
    assert.deepEqual([second.told, outbox.size], [[], 1]);
    agent.reform({});
    await second.done;
    assert.deepEqual(second.told, ['accepted']);
  });

  it('lets a duplicate wait for the firing that it repeats', async (t) => {
    const { accept, agent } = await given(t, { maxFirings: 1, whenFull: 'block' });
    await accept(1).done;
    const [first, again] = [accept(2), accept(2)];
    await settle();
    assert.deepEqual([first.told, again.told], [[], []]);
    agent.reform({});
    await Promise.all([first.done, again.done]);
    assert.deepEqual([first.told, again.told], [['accepted'], ['duplicate']]);
  });

  it('drops what still waits when khook stops, and gives its key back', async (t) => {
    const { accept, dispatch, outbox } = await given(t, { maxFirings: 1, whenFull: 'block' });
    await accept(1).done;
    const second = accept(2);
    await settle();
    dispatch.release();
    await second.done;
    assert.deepEqual(second.told, ['dropped']);
    assert.equal(dispatch.dedup.claimOf('key-2'), null);
    assert.equal(outbox.size, 1);
  });
});
