import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DedupRecord } from '../../../host/dispatch/dedup.ts';
import type { Delivery, DeliveryState } from '../../../host/dispatch/delivery.ts';
import { type RecordedFiring, takeover } from '../../../host/dispatch/takeover.ts';
import { UnsentFirings } from '../../../host/dispatch/unsent-firings.ts';
import { nthFiring } from './firing.ts';

const T = 1_000_000;

function record(n: number, changes: Partial<RecordedFiring> = {}): RecordedFiring {
  const { dedupKey, hook, eventType, resourceName } = nthFiring(n);
  const times = { firstSeen: T, lastSeen: T, lastNotified: T + 1 };
  return { dedupKey, hook, eventType, resourceName, messageId: `theirs-${n}`, ...times, ...changes };
}

function standing(n: number, changes: Partial<Delivery> = {}, state?: DeliveryState): Delivery {
  return {
    ...{ messageId: `mine-${n}`, contextId: 'c', eventId: `e${n}`, acceptedAt: T, firing: nthFiring(n) },
    state: state ?? { kind: 'queued', since: T },
    ...changes,
  };
}

function fired(n: number, firstSeen = T): DedupRecord {
  const { dedupKey, hook, eventType, resourceName } = nthFiring(n);
  return { dedupKey, hook, eventType, resourceName, firstSeen, lastSeen: firstSeen, duplicates: 0 };
}

const NOTHING = { deliveries: [], fired: [] };

describe('takeover', () => {
  it('silences what an agent took, and not what nobody is known to have sent', () => {
    const taken = takeover([record(1), record(2, { lastNotified: null })], NOTHING);
    assert.deepEqual(
      taken.fired.map(({ dedupKey, firstSeen }) => [dedupKey, firstSeen]),
      [['key-1', T]],
    );
    assert.deepEqual(
      taken.unsent.map(({ messageId }) => messageId),
      ['theirs-2'],
    );
  });

  it('goes on with its own deliveries where the record says nothing else', () => {
    const deliveries = [standing(1), standing(2)];
    const same = record(1, { messageId: 'mine-1', lastNotified: null });
    const taken = takeover([same], { deliveries, fired: [fired(1), fired(2)] });
    assert.deepEqual([taken.deliveries, taken.settled, taken.unsent], [deliveries, [], []]);
    assert.equal(taken.fired.length, 2);
  });

  it('does not send again what an agent took, by the word of the status', () => {
    const followed: DeliveryState = { kind: 'following', attempt: 1, taskId: 't', since: T };
    const deliveries = [standing(1), standing(2, {}, followed)];
    const records = [1, 2].map((n) => record(n, { messageId: `mine-${n}` }));
    const taken = takeover(records, { deliveries, fired: [fired(1), fired(2)] });
    assert.deepEqual(
      taken.settled.map(({ delivery, outcome }) => [delivery.messageId, outcome]),
      [['mine-1', 'delivered']],
    );
    assert.deepEqual(taken.deliveries, [deliveries[1]], 'a task that is known is followed');
  });

  it('does not send what another khook has fired since and sent', () => {
    const newer = record(1, { firstSeen: T + 5, lastNotified: T + 6 });
    const taken = takeover([newer], { deliveries: [standing(1)], fired: [fired(1)] });
    assert.deepEqual(
      taken.settled.map(({ outcome, detail }) => [outcome, detail]),
      [['duplicate', `another khook has sent message theirs-1 for it at ${new Date(T + 6).toISOString()}`]],
    );
    assert.deepEqual(
      taken.fired.map(({ firstSeen }) => firstSeen),
      [T + 5],
    );
  });

  it('sends what another khook fired before, or did not send', () => {
    for (const other of [record(1, { firstSeen: T - 5 }), record(1, { firstSeen: T + 5, lastNotified: null })]) {
      const taken = takeover([other], { deliveries: [standing(1)], fired: [fired(1)] });
      assert.deepEqual([taken.settled.length, taken.deliveries.length, taken.unsent.length], [0, 1, 0]);
    }
  });

  it('believes the newer of the two about a key, whichever it is', () => {
    const older = takeover([record(1, { firstSeen: T - 5 })], { deliveries: [], fired: [fired(1)] });
    assert.equal(older.fired[0]?.firstSeen, T);
    const newer = takeover([record(1, { firstSeen: T + 5 })], { deliveries: [], fired: [fired(1)] });
    assert.equal(newer.fired[0]?.firstSeen, T + 5);
    const delivered = takeover([record(1, { lastNotified: null })], { deliveries: [], fired: [fired(1)] });
    assert.deepEqual(delivered.unsent, [], 'it was delivered, and the end came before the status was written');
  });
});

describe('unsent firings', () => {
  it('give their messageId once, and not for ever', () => {
    const unsent = new UnsentFirings([record(1), record(2)]);
    assert.equal(unsent.take('key-1', T + 1), 'theirs-1');
    assert.equal(unsent.take('key-1', T + 1), null);
    assert.equal(unsent.take('key-2', T + 31 * 60_000), null);
    assert.equal(unsent.take('key-3', T), null);
  });
});
