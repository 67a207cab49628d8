import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActiveEvents } from '../../../host/cluster/active-events.ts';
import { MAX_ACTIVE_EVENTS } from '../../../host/config/hook-status.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { taken } from './hook-objects.ts';

const WINDOW_MS = 600_000;
const RETENTION_MS = 1_800_000;

function open(maxEntries?: number) {
  const clock = new FakeClock();
  const limit = maxEntries === undefined ? {} : { maxEntries };
  return { clock, active: new ActiveEvents({ clock, windowMs: WINDOW_MS, retentionMs: RETENTION_MS, ...limit }) };
}

describe('active events', () => {
  it('fire, are resolved a window after they were last seen, and leave after the retention', async () => {
    const { clock, active } = open();
    active.fired(taken(1, clock.wall()));
    await clock.advance(300_000);
    assert.equal(active.seen(taken(1, 0).firing.dedupKey), true);
    await clock.advance(WINDOW_MS - 1);
    assert.deepEqual(active.sweep(), { resolved: [], left: new Set() });
    await clock.advance(1);
    assert.deepEqual(
      active.sweep().resolved.map(({ resourceName }) => resourceName),
      ['pod-1'],
    );
    assert.deepEqual(
      active.of('shop/h').map(({ state }) => state),
      ['resolved'],
    );
    await clock.advance(RETENTION_MS - 900_000);
    assert.deepEqual(active.sweep().left, new Set(['shop/h']));
    assert.deepEqual(active.of('shop/h'), []);
  });

  it('fire again when they are seen again, and not twice', async () => {
    const { clock, active } = open();
    active.fired(taken(1, clock.wall()));
    await clock.advance(WINDOW_MS);
    assert.equal(active.sweep().resolved.length, 1);
    assert.equal(active.sweep().resolved.length, 0);
    active.fired(taken(1, clock.wall(), { messageId: 'second' }));
    const [event] = active.of('shop/h');
    assert.deepEqual([event?.state, event?.firstSeen, event?.messageId], ['firing', clock.wall(), 'second']);
  });

  it('know when an agent took them, unless they have fired again since', async () => {
    const { clock, active } = open();
    const first = taken(1, clock.wall());
    active.fired(first);
    await clock.advance(10);
    assert.equal(active.notified(first), true);
    await clock.advance(10);
    active.notified(first);
    assert.equal(active.of('shop/h')[0]?.lastNotified, clock.wall() - 10, 'the first time counts');
    assert.equal(active.failed(first), true);
    assert.equal(active.of('shop/h')[0]?.lastNotified, null, 'its key may fire again');
    active.fired(taken(1, clock.wall(), { messageId: 'second' }));
    assert.equal(active.notified(first), false);
    assert.equal(active.of('shop/h')[0]?.lastNotified, null);
  });

  it('take over what another khook wrote; of two firings of a key the newer one counts', async () => {
    const { clock, active } = open();
    const other = open();
    for (const n of [1, 2]) other.active.fired(taken(n, clock.wall() - 60_000 * n, { messageId: `theirs-${n}` }));
    active.fired(taken(1, clock.wall(), { messageId: 'mine' }));
    active.adopt(other.active.of('shop/h'));
    assert.deepEqual(
      active.of('shop/h').map(({ messageId }) => messageId),
      ['mine', 'theirs-2'],
    );
    const [theirs] = other.active.of('shop/h');
    assert.ok(theirs !== undefined);
    active.adopt([{ ...theirs, firstSeen: clock.wall() + 1 }]);
    assert.equal(active.find(taken(1, 0).firing.dedupKey)?.messageId, 'theirs-1');
  });

  it('say that they are resolved also when the khook that saw them fire is gone', async () => {
    const { clock, active } = open();
    const other = open();
    other.active.fired(taken(1, clock.wall() - WINDOW_MS));
    active.adopt(other.active.of('shop/h'));
    assert.equal(active.sweep().resolved.length, 1);
  });

  it('go on as they were when a firing is taken up from the outbox', async () => {
    const { clock, active } = open();
    const firing = taken(1, clock.wall() - 5);
    active.fired(firing);
    active.notified(firing);
    active.fired(firing);
    assert.notEqual(active.of('shop/h')[0]?.lastNotified, null);
    active.fired({ ...firing, acceptedAt: clock.wall() });
    assert.deepEqual(
      active.of('shop/h').map(({ lastNotified, firstSeen }) => [lastNotified, firstSeen]),
      [[null, clock.wall()]],
      'the same message, fired again by a new leader',
    );
  });

  it('are no more than a status may hold: what is over gives way first', async () => {
    const { clock, active } = open();
    for (let n = 0; n < MAX_ACTIVE_EVENTS; n += 1) active.fired(taken(n, clock.wall()));
    await clock.advance(WINDOW_MS - 1);
    for (let n = 0; n < 10; n += 1) active.seen(taken(n, 0).firing.dedupKey);
    await clock.advance(1);
    active.sweep();
    active.fired(taken(-1, clock.wall()));
    const events = active.of('shop/h');
    assert.equal(events.length, MAX_ACTIVE_EVENTS);
    assert.equal(events[0]?.resourceName, 'pod-0', 'still firing');
    assert.ok(!events.some(({ resourceName }) => resourceName === 'pod-10'));
  });

  it('are bounded over all Hooks', () => {
    const { clock, active } = open(3);
    for (let n = 0; n < 5; n += 1) active.fired(taken(n, clock.wall(), { hook: `shop/h${n}` }));
    assert.equal(active.size, 3);
    assert.deepEqual(active.of('shop/h0'), []);
  });

  it('go with their Hook', () => {
    const { clock, active } = open();
    active.fired(taken(1, clock.wall()));
    active.fired(taken(1, clock.wall(), { hook: 'shop/other' }));
    active.forget('shop/h');
    assert.equal(active.size, 1);
    assert.equal(active.seen(taken(1, 0).firing.dedupKey), false);
  });
});
