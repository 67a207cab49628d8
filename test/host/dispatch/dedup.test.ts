import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ClaimVerdict, DedupWindow } from '../../../host/dispatch/dedup.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { firing } from './firing.ts';

const WINDOW_MS = 600_000;

function windowOn(clock: FakeClock, maxKeys = 50_000): DedupWindow {
  return new DedupWindow({ windowMs: WINDOW_MS, maxKeys, clock });
}

function claimOf(verdict: ClaimVerdict): number {
  assert.equal(verdict.kind, 'first');
  return verdict.kind === 'first' ? verdict.claim : 0;
}

test('dedup: the second of a key within the window is a duplicate and says until when', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  assert.equal(dedup.claim(firing()).kind, 'first');
  await clock.advance(1_000);
  assert.deepEqual(dedup.claim(firing()), { kind: 'duplicate', until: clock.wall() + WINDOW_MS - 1_000 });
  assert.equal(dedup.claim(firing({ dedupKey: 'another' })).kind, 'first');
});

test('dedup: the window counts from the last firing, not from its duplicates', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  dedup.claim(firing());
  for (let i = 0; i < 9; i += 1) {
    await clock.advance(60_000);
    assert.equal(dedup.claim(firing()).kind, 'duplicate');
  }
  await clock.advance(60_000);
  assert.equal(dedup.claim(firing()).kind, 'first');
});

test('dedup: what happened inside the window is a duplicate, however late it is told, and again', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  dedup.claim(firing());
  await clock.advance(WINDOW_MS + 300_000);
  assert.equal(dedup.claim(firing(), 300_001).kind, 'duplicate');
  assert.equal(dedup.claim(firing(), 300_001).kind, 'duplicate');
  assert.equal(dedup.claim(firing(), 300_000).kind, 'first');
});

test('dedup: what happened before the key last fired is a duplicate', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  dedup.claim(firing());
  await clock.advance(WINDOW_MS);
  assert.equal(dedup.claim(firing(), 15 * 60_000).kind, 'duplicate');
  assert.equal(dedup.claim(firing(), -60_000).kind, 'first', 'from a clock that is ahead');
});

test('dedup: a short window does not forget what a source may tell again when it starts anew', async () => {
  const clock = new FakeClock();
  const dedup = new DedupWindow({ windowMs: 1_000, maxKeys: 10, clock });
  dedup.claim(firing());
  await clock.advance(15 * 60_000);
  assert.equal(dedup.claim(firing(), 15 * 60_000 - 500).kind, 'duplicate');
  assert.deepEqual(dedup.activeEvents(firing().hook), [], 'on show no longer');
  await clock.advance(6 * 60_000);
  assert.equal(dedup.claim(firing(), 20 * 60_000).kind, 'first');
});

test('dedup: a wall clock that jumps neither opens nor lengthens a window', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  dedup.claim(firing());
  clock.shiftWall(2 * WINDOW_MS);
  assert.equal(dedup.claim(firing()).kind, 'duplicate');
  clock.shiftWall(-10 * WINDOW_MS);
  await clock.advance(WINDOW_MS);
  assert.equal(dedup.claim(firing()).kind, 'first');
});

test('dedup: a key that is given back fires again, unless somebody else has claimed it meanwhile', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  const old = claimOf(dedup.claim(firing()));
  assert.equal(dedup.giveBack(firing().dedupKey, old), true);
  const second = claimOf(dedup.claim(firing()));
  assert.equal(dedup.giveBack(firing().dedupKey, old), false, 'the claim is another one by now');
  assert.equal(dedup.claim(firing()).kind, 'duplicate');
  await clock.advance(WINDOW_MS);
  claimOf(dedup.claim(firing()));
  assert.equal(dedup.giveBack(firing().dedupKey, second), false);
});

test('dedup: forgets the key that fired longest ago when it is full', () => {
  const dedup = windowOn(new FakeClock(), 3);
  for (const dedupKey of ['a', 'b', 'c', 'd']) dedup.claim(firing({ dedupKey }));
  assert.equal(dedup.size, 3);
  assert.equal(dedup.claim(firing({ dedupKey: 'd' })).kind, 'duplicate');
  assert.equal(dedup.claim(firing({ dedupKey: 'a' })).kind, 'first');
});

test('dedup: shows what is active for a Hook, and sweeps it in the end', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  dedup.claim(firing());
  await clock.advance(100_000);
  dedup.claim(firing());
  const [active] = dedup.activeEvents('kagent/crashes');
  assert.equal(active?.status, 'firing');
  assert.equal(active?.lastSeen, (active?.firstSeen ?? 0) + 100_000);
  assert.equal(active?.duplicates, 1);
  assert.deepEqual(dedup.activeEvents('kagent/other'), []);
  await clock.advance(WINDOW_MS);
  assert.equal(dedup.activeEvents('kagent/crashes')[0]?.status, 'resolved');
  await clock.advance(3 * WINDOW_MS);
  assert.deepEqual(dedup.activeEvents('kagent/crashes'), []);
  assert.equal(dedup.size, 0);
});

test('dedup: a snapshot taken back keeps what is left of each window, whatever the monotonic clock', async () => {
  const before = new FakeClock(5_000_000);
  const old = windowOn(before);
  old.claim(firing());
  const after = new FakeClock(77);
  after.shiftWall(before.wall() + 200_000 - after.wall());
  const dedup = windowOn(after);
  dedup.restore(old.snapshot());
  assert.deepEqual(dedup.claim(firing()), { kind: 'duplicate', until: after.wall() + WINDOW_MS - 200_000 });
  await after.advance(WINDOW_MS - 200_000);
  assert.equal(dedup.claim(firing()).kind, 'first');
});

test('dedup: never two firsts of a key within a window, whatever the order of claims, waits and returns', async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('claim' as const), key: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('giveBack' as const), key: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: WINDOW_MS }) }),
      fc.record({ kind: fc.constant('shift' as const), ms: fc.integer({ min: -WINDOW_MS, max: WINDOW_MS }) }),
    ),
    { maxLength: 40 },
  );
  const property = fc.asyncProperty(steps, async (script) => {
    const time = { now: 1_000, wall: 9_000_000 };
    const clock = { ...new FakeClock(), now: () => time.now, wall: () => time.wall } as unknown as FakeClock;
    const dedup = windowOn(clock);
    const open = new Map<number, { at: number; claim: number }>();
    for (const step of script) {
      if (step.kind === 'wait') {
        time.now += step.ms;
        time.wall += step.ms;
      } else if (step.kind === 'shift') time.wall += step.ms;
      else if (step.kind === 'giveBack') {
        const claim = open.get(step.key);
        if (claim !== undefined && dedup.giveBack(String(step.key), claim.claim)) open.delete(step.key);
      } else {
        const verdict = dedup.claim(firing({ dedupKey: String(step.key) }));
        const last = open.get(step.key);
        const isSilenced = last !== undefined && time.now < last.at + WINDOW_MS;
        assert.equal(verdict.kind, isSilenced ? 'duplicate' : 'first');
        if (verdict.kind === 'first') open.set(step.key, { at: time.now, claim: verdict.claim });
      }
    }
  });
  await fc.assert(property, { numRuns: 300 });
});

test('dedup: whoever mirrors claims and what is forgotten holds what a snapshot holds', async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constantFrom('claim' as const, 'giveBack' as const), key: fc.nat(4) }),
      fc.record({ kind: fc.constant('wait' as const), key: fc.constantFrom(1_000, WINDOW_MS, 4 * WINDOW_MS) }),
    ),
    { maxLength: 40 },
  );
  const property = fc.asyncProperty(steps, async (script) => {
    const clock = new FakeClock();
    const mirror = new Set<string>();
    const dedup = new DedupWindow({
      windowMs: WINDOW_MS,
      maxKeys: 3,
      clock,
      onForgotten: (dedupKey) => mirror.delete(dedupKey),
    });
    const claims = new Map<number, number>();
    for (const { kind, key } of script) {
      const dedupKey = String(key);
      if (kind === 'wait') await clock.advance(key);
      else if (kind === 'giveBack') dedup.giveBack(dedupKey, claims.get(key) ?? 0);
      else {
        const verdict = dedup.claim(firing({ dedupKey }));
        if (verdict.kind !== 'first') continue;
        claims.set(key, verdict.claim);
        mirror.add(dedupKey);
      }
    }
    assert.deepEqual(
      dedup
        .snapshot()
        .map((record) => record.dedupKey)
        .sort(),
      [...mirror].sort(),
    );
  });
  await fc.assert(property, { numRuns: 200 });
});

test('dedup: a look at a key says what a claim would, and claims nothing', async () => {
  const clock = new FakeClock();
  const dedup = windowOn(clock);
  const { dedupKey } = firing();
  assert.equal(dedup.isSilenced(dedupKey), false);
  const claim = claimOf(dedup.claim(firing()));
  assert.equal(dedup.isSilenced(dedupKey), true);
  await clock.advance(WINDOW_MS - 1);
  assert.equal(dedup.isSilenced(dedupKey), true);
  await clock.advance(1);
  assert.equal(dedup.isSilenced(dedupKey), false);
  dedup.giveBack(dedupKey, claim);
  assert.equal(dedup.size, 0);
});
