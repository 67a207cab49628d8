import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  heldRecord,
  judgeLease,
  LEASE_TIMING,
  leadsUntil,
  lookAgainMs,
  observe,
  releasedRecord,
  renewAgainMs,
  timingFault,
} from '../../../host/cluster/lease-policy.ts';
import { type LeaseRecord, microTime, readRecord, writeRecord } from '../../../host/cluster/lease-record.ts';

const OTHER: LeaseRecord = {
  holder: 'other',
  durationMs: 15_000,
  renewTime: '2026-01-01T00:00:00.000000Z',
  acquireTime: '2025-12-31T00:00:00.000000Z',
  transitions: 3,
};
const own = (now: number) => ({ identity: 'me', timing: LEASE_TIMING, now });

describe('lease policy', () => {
  it('takes a lease that is nobody’s, released, or its own of an earlier life at once', () => {
    assert.deepEqual(judgeLease(null, own(0)), { kind: 'take', from: 'nobody' });
    const released = observe(null, { ...OTHER, holder: '' }, 100);
    assert.deepEqual(judgeLease(released, own(100)), { kind: 'take', from: 'released' });
    const itself = observe(null, { ...OTHER, holder: 'me' }, 100);
    assert.deepEqual(judgeLease(itself, own(100)), { kind: 'take', from: 'itself' });
  });

  it('takes another’s lease only when it has not changed for as long as its holder promised', () => {
    const seen = observe(null, OTHER, 1_000);
    assert.deepEqual(judgeLease(seen, own(15_999)), { kind: 'wait', holder: 'other', forMs: 1 });
    assert.deepEqual(judgeLease(seen, own(16_000)), { kind: 'take', from: 'expired' });
    const longer = observe(null, { ...OTHER, durationMs: 60_000 }, 1_000);
    assert.equal(judgeLease(longer, own(16_000)).kind, 'wait');
    const unsaid = observe(null, { ...OTHER, durationMs: null }, 1_000);
    assert.equal(judgeLease(unsaid, own(15_999)).kind, 'wait');
    assert.equal(judgeLease(unsaid, own(16_000)).kind, 'take');
  });

  it('counts anew from every change, whatever the times in it say', () => {
    const first = observe(null, OTHER, 1_000);
    assert.equal(observe(first, { ...OTHER }, 5_000), first);
    for (const renewTime of ['1970-01-01T00:00:00.000000Z', '2999-01-01T00:00:00.000000Z', 'garbage']) {
      const renewed = observe(first, { ...OTHER, renewTime }, 5_000);
      assert.equal(judgeLease(renewed, own(19_999)).kind, 'wait');
      assert.equal(judgeLease(renewed, own(20_000)).kind, 'take');
    }
  });

  it('does not take a lease that somebody deleted before its holder must have stopped', () => {
    const seen = observe(observe(null, OTHER, 1_000), null, 2_000);
    assert.equal(judgeLease(seen, own(2_000)).kind, 'wait');
    assert.equal(judgeLease(seen, own(16_000)).kind, 'take');
  });

  it('lets a holder act until the deadline, counted from before it asked', () => {
    assert.equal(leadsUntil(1_000, LEASE_TIMING), 11_000);
  });

  it('keeps who held it since when, and counts the changes', () => {
    const at = (wall: number) => ({ identity: 'me', timing: LEASE_TIMING, wall });
    const first = heldRecord(null, at(0));
    assert.deepEqual(first, {
      holder: 'me',
      durationMs: 15_000,
      renewTime: '1970-01-01T00:00:00.000000Z',
      acquireTime: '1970-01-01T00:00:00.000000Z',
      transitions: 0,
    });
    const renewed = heldRecord(first, at(2_000));
    assert.deepEqual(renewed, { ...first, renewTime: '1970-01-01T00:00:02.000000Z' });
    const taken = heldRecord(OTHER, at(2_000));
    assert.deepEqual([taken.acquireTime, taken.transitions], ['1970-01-01T00:00:02.000000Z', 4]);
    const released = releasedRecord(taken, 3_000);
    assert.deepEqual([released.holder, released.durationMs, released.transitions], ['', 1_000, 4]);
  });

  it('looks again within bounds, and sooner when a renewal failed', () => {
    assert.deepEqual([lookAgainMs(LEASE_TIMING, 0), lookAgainMs(LEASE_TIMING, 0.999_999)], [2_000, 4_400]);
    assert.deepEqual([renewAgainMs(LEASE_TIMING, 0), renewAgainMs(LEASE_TIMING, 0.999_999)], [500, 1_000]);
  });

  it('refuses times under which two could lead, or none could renew', () => {
    assert.equal(timingFault(LEASE_TIMING), null);
    assert.match(timingFault({ ...LEASE_TIMING, renewDeadlineMs: 15_000 }) ?? '', /less than durationMs/);
    assert.match(timingFault({ ...LEASE_TIMING, durationMs: 15_500 }) ?? '', /whole seconds/);
    assert.match(timingFault({ ...LEASE_TIMING, attemptMs: 9_000 }) ?? '', /must fit/);
    assert.match(timingFault({ ...LEASE_TIMING, retryMs: 0 }) ?? '', /positive/);
  });

  // A write stands in the store at some moment after it was sent; it is seen at some moment after that.
  it('never lets a candidate begin before the holder must have stopped, whatever the delays', () => {
    const ms = fc.integer({ min: 0, max: 60_000 });
    fc.assert(
      fc.property(ms, ms, ms, (sentAt, toStore, toCandidate) => {
        const stored = sentAt + toStore;
        const seen = observe(
          null,
          heldRecord(null, { identity: 'other', timing: LEASE_TIMING, wall: 0 }),
          stored + toCandidate,
        );
        const until = leadsUntil(sentAt, LEASE_TIMING);
        for (let now = stored + toCandidate; now < until; now += 250) {
          assert.equal(judgeLease(seen, own(now)).kind, 'wait');
        }
      }),
    );
  });
});

describe('lease record', () => {
  it('is read from what client-go writes, and written back without losing what else stands there', () => {
    const object = {
      metadata: { name: 'khook', namespace: 'kagent', resourceVersion: '7', labels: { team: 'a' } },
      spec: {
        holderIdentity: 'khook-1_abc',
        leaseDurationSeconds: 15,
        renewTime: '2026-01-01T00:00:00.123456Z',
        acquireTime: '2026-01-01T00:00:00.000000Z',
        leaseTransitions: 2,
        strategy: 'OldestEmulationVersion',
      },
    };
    const record = readRecord(object);
    assert.deepEqual(record, {
      holder: 'khook-1_abc',
      durationMs: 15_000,
      renewTime: '2026-01-01T00:00:00.123456Z',
      acquireTime: '2026-01-01T00:00:00.000000Z',
      transitions: 2,
    });
    const written = writeRecord(object, { ...record, holder: 'me' });
    assert.deepEqual(written.metadata, object.metadata);
    assert.deepEqual(written.spec, { ...object.spec, holderIdentity: 'me' });
  });

  it('makes something of whatever a hand wrote', () => {
    const nobody = { holder: '', durationMs: null, renewTime: '', acquireTime: '', transitions: 0 };
    assert.deepEqual(readRecord({}), nobody);
    const garbage = {
      holderIdentity: 7,
      leaseDurationSeconds: -1,
      renewTime: {},
      acquireTime: null,
      leaseTransitions: 1.5,
    };
    assert.deepEqual(readRecord({ spec: garbage }), nobody);
    const huge = readRecord({ spec: { holderIdentity: 'x'.repeat(10_000), leaseDurationSeconds: 2 ** 31 - 1 } });
    assert.deepEqual([huge.holder.length, huge.durationMs], [300, 600_000]);
  });

  it('writes times as MicroTime', () => {
    assert.equal(microTime(1_700_000_000_123), '2023-11-14T22:13:20.123000Z');
  });
});
