import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LeaderLease } from '../../../host/cluster/leader-lease.ts';
import { LEASE_TIMING } from '../../../host/cluster/lease-policy.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { LeaseWay, MemoryLease } from '../../support/memory-lease-store.ts';

const DURATION = LEASE_TIMING.durationMs;
const DEADLINE = LEASE_TIMING.renewDeadlineMs;
/** By then every candidate has looked at the lease again. */
const LOOK = 2.2 * LEASE_TIMING.retryMs + 100;

interface Candidate {
  readonly lease: LeaderLease;
  readonly way: LeaseWay;
  readonly clock: FakeClock;
  /** `noun:verb detail`, as they came. */
  readonly said: string[];
}

function candidate(
  shared: MemoryLease,
  identity: string,
  { clock = new FakeClock(), random = (): number => 0.5 } = {},
): Candidate {
  const way = new LeaseWay(shared);
  const lease = new LeaderLease({ store: way, identity, clock, random });
  const said: string[] = [];
  lease.events.on('leadership:acquired', ({ from, before, term }) => said.push(`acquired ${from} ${before} ${term}`));
  lease.events.on('leadership:lost', ({ why }) => said.push(`lost ${why}`));
  lease.events.on('lease:holder', ({ holder }) => said.push(`holder ${holder}`));
  lease.events.on('lease:fault', ({ message, isLeading }) => said.push(`fault ${message} ${isLeading}`));
  lease.events.on('lease:recovered', ({ forMs }) => said.push(`recovered ${forMs}`));
  lease.events.on('lease:released', () => said.push('released'));
  return { lease, way, clock, said };
}

/** Two on one clock, of which the first leads and the second has seen it. */
async function pair(): Promise<{ shared: MemoryLease; clock: FakeClock; first: Candidate; second: Candidate }> {
  const shared = new MemoryLease();
  const clock = new FakeClock();
  const first = candidate(shared, 'first', { clock });
  const second = candidate(shared, 'second', { clock });
  first.lease.start();
  await clock.advance(0);
  second.lease.start();
  await clock.advance(0);
  assert.deepEqual([first.lease.isLeader, second.lease.isLeader], [true, false]);
  return { shared, clock, first, second };
}

describe('leader lease', () => {
  it('is taken by the first who looks; the next one follows and says who leads', async () => {
    const { shared, clock, first, second } = await pair();
    assert.deepEqual(first.said, ['acquired nobody  0']);
    assert.deepEqual(second.said, ['holder first']);
    assert.deepEqual([first.lease.holder, second.lease.holder], ['first', 'first']);
    await clock.advance(10 * DURATION);
    assert.deepEqual([first.lease.isLeader, second.lease.isLeader], [true, false]);
    assert.equal(shared.record?.transitions, 0);
    assert.deepEqual([first.said.length, second.said.length], [1, 1]);
  });

  it('costs a leader 30 writes a minute, and a standby at most 30 reads', async () => {
    const { shared, clock } = await pair();
    const before = [shared.reads, shared.writes] as const;
    await clock.advance(60_000);
    assert.equal(shared.writes - before[1], 30);
    assert.ok(shared.reads - before[0] <= 30);
  });

  it('is given back by a release, and taken by the next who looks', async () => {
    const { shared, clock, first, second } = await pair();
    await first.lease.release();
    assert.equal(shared.record?.holder, '');
    assert.equal(first.lease.isLeader, false);
    await clock.advance(LOOK);
    assert.equal(second.lease.isLeader, true);
    assert.deepEqual(first.said.slice(1), ['released']);
    assert.deepEqual(second.said.slice(1), ['acquired released  1']);
    await second.lease.release();
    assert.equal(clock.pending, 0);
  });

  for (const way of ['silent', 'refused'] as const) {
    it(`ends for a leader whose way is ${way} before another may take it`, async () => {
      const { clock, first, second } = await pair();
      const renewedAt = clock.now();
      first.way.way = way;
      await clock.advance(DEADLINE - 1);
      assert.equal(first.lease.isLeader, true);
      await clock.advance(1);
      assert.equal(first.lease.isLeader, false);
      assert.match(
        first.said.at(-1) ?? '',
        /^lost the lease could not be renewed for 10 s: (no answer|connection refused)/,
      );
      await clock.advance(DURATION - DEADLINE - 1);
      assert.equal(second.lease.isLeader, false);
      await clock.advance(LOOK);
      assert.equal(second.lease.isLeader, true);
      assert.deepEqual(second.said.slice(1), ['acquired expired first 1']);
      assert.ok(clock.now() - renewedAt <= DURATION + LOOK);
    });
  }

  it('is looked at when it expires, not only when the next look is due', async () => {
    const { clock, first, second } = await pair();
    first.way.way = 'silent';
    await clock.advance(DURATION + LEASE_TIMING.retryMs / 2);
    assert.equal(second.lease.isLeader, true);
  });

  it('is kept when one request dies on its connection', async () => {
    const { clock, first } = await pair();
    first.way.way = 'silent';
    await clock.advance(LEASE_TIMING.retryMs + LEASE_TIMING.attemptMs);
    first.way.way = 'open';
    await clock.advance(DURATION);
    assert.equal(first.lease.isLeader, true);
    assert.deepEqual(first.said.slice(1), ['fault no answer within 2.5 s true', 'recovered 750']);
  });

  it('is kept when a renewal is carried out and its answer is lost', async () => {
    const { shared, clock, first, second } = await pair();
    first.way.way = 'lost-answer';
    await clock.advance(LEASE_TIMING.retryMs + 1);
    first.way.way = 'open';
    await clock.advance(3 * DURATION);
    assert.equal(first.lease.isLeader, true);
    assert.equal(second.lease.isLeader, false);
    assert.equal(shared.record?.transitions, 0);
  });

  it('is lost at the next renewal when a hand gave it to somebody else', async () => {
    const { shared, clock, first } = await pair();
    shared.edit({ ...shared.record!, holder: 'mallory', transitions: 1 });
    await clock.advance(LEASE_TIMING.retryMs);
    assert.equal(first.lease.isLeader, false);
    assert.deepEqual(first.said.slice(1), ['lost the lease was taken by mallory']);
    // It does not fight for it in this life, and has nothing to give back.
    shared.edit({ ...shared.record!, holder: '' });
    await clock.advance(2 * DURATION);
    assert.equal(first.lease.isLeader, false);
    first.lease.start();
    await first.lease.release();
    assert.deepEqual(first.said.length, 2);
  });

  it('is written again by its holder when somebody deletes it, and by nobody else', async () => {
    const { shared, clock, first, second } = await pair();
    shared.edit(null);
    await clock.advance(3 * DURATION);
    assert.deepEqual([first.lease.isLeader, second.lease.isLeader], [true, false]);
    assert.equal(shared.record?.holder, 'first');
    assert.deepEqual([first.said.length, second.said.length], [1, 1]);
  });

  it('is not led any more by a process that was frozen, even before a timer ran', async () => {
    const { clock, first } = await pair();
    clock.jump(DEADLINE);
    assert.equal(first.lease.isLeader, false);
    await clock.advance(0);
    assert.match(first.said.at(-1) ?? '', /^lost/);
  });

  it('goes back at once to whoever had it in an earlier life', async () => {
    const { shared, clock, second } = await pair();
    // The first is killed; nothing of it runs any more.
    const again = candidate(shared, 'first', { clock: new FakeClock() });
    again.lease.start();
    await again.clock.advance(0);
    assert.deepEqual(again.said, ['acquired itself first 0']);
    assert.equal(second.lease.isLeader, false);
    assert.ok(clock.pending > 0);
  });

  it('does not depend on what the clocks on the wall say', async () => {
    const { clock, first, second } = await pair();
    for (const ms of [86_400_000, -2 * 86_400_000, 3_600_000]) {
      clock.shiftWall(ms);
      await clock.advance(2 * DURATION);
      assert.deepEqual([first.lease.isLeader, second.lease.isLeader], [true, false]);
    }
  });

  it('is taken by one alone of many that see it expire in the same moment', async () => {
    const shared = new MemoryLease();
    const clock = new FakeClock();
    shared.edit({ holder: 'gone', durationMs: DURATION, renewTime: 'x', acquireTime: 'x', transitions: 0 });
    const all = Array.from({ length: 10 }, (_, n) => candidate(shared, `c${n}`, { clock }));
    for (const { lease } of all) lease.start();
    await clock.advance(DURATION + LOOK);
    assert.equal(all.filter(({ lease }) => lease.isLeader).length, 1);
    assert.equal(shared.record?.transitions, 1);
  });

  it('is given back also when nobody heard that it was taken', async () => {
    const shared = new MemoryLease();
    const { lease, way, clock, said } = candidate(shared, 'me');
    way.way = 'open';
    lease.start();
    const reading = clock.advance(0);
    way.way = 'lost-answer';
    await reading;
    const releasing = lease.release();
    way.way = 'open';
    await settle();
    await releasing;
    assert.notEqual(shared.record?.holder, 'me');
    assert.equal(lease.isLeader, false);
    assert.ok(!said.some((line) => line.startsWith('acquired')));
  });

  it('is let go of in time when the store does not answer', async () => {
    const { shared, clock, first } = await pair();
    first.way.way = 'silent';
    let isDone = false;
    const releasing = first.lease.release().then(() => {
      isDone = true;
    });
    assert.equal(first.lease.isLeader, false);
    await settle();
    await clock.advance(2 * LEASE_TIMING.attemptMs);
    assert.equal(isDone, true);
    await releasing;
    assert.equal(shared.record?.holder, 'first');
    assert.match(first.said.at(-1) ?? '', /^fault no answer within 2.5 s false$/);
  });

  it('tells a fault once, and when it is over', async () => {
    const shared = new MemoryLease();
    const { lease, way, clock, said } = candidate(shared, 'me');
    way.way = 'refused';
    lease.start();
    await clock.advance(60_000);
    assert.deepEqual(said, ['fault connection refused false']);
    way.way = 'open';
    await clock.advance(LOOK);
    assert.deepEqual(
      said.slice(1).map((line) => line.split(' ')[0]),
      ['acquired', 'recovered'],
    );
  });

  it('refuses times under which two could lead', () => {
    const store = new LeaseWay(new MemoryLease());
    const timing = { ...LEASE_TIMING, renewDeadlineMs: DURATION };
    assert.throws(
      () => new LeaderLease({ store, identity: 'me', clock: new FakeClock(), random: () => 0, timing }),
      /renewDeadlineMs must be less than durationMs/,
    );
  });
});

/** A generator of its own, so that a run that failed can be run again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe('leader lease in any weather', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it(`is held by at most one at any moment, and by one again when the weather is good (seed ${seed})`, async () => {
      const random = randomOf(seed);
      const shared = new MemoryLease();
      const candidates = Array.from({ length: 3 }, () => null as Candidate | null);
      let lives = 0;
      let terms = 0;
      const born = (): Candidate => {
        lives += 1;
        const life = candidate(shared, `life-${lives}`, { random });
        life.lease.events.on('leadership:acquired', () => {
          terms += 1;
        });
        life.clock.shiftWall((random() - 0.5) * 1e9);
        life.lease.start();
        return life;
      };
      /** Frozen lives → how long already; when they go on, time has passed and nothing has run. */
      const frozen = new Map<Candidate, number>();
      const step = async (ms: number, freezes = true): Promise<void> => {
        for (const life of candidates) {
          if (life === null) continue;
          const frozenMs = frozen.get(life) ?? (freezes && random() < 0.003 ? 0 : null);
          if (frozenMs === null) await life.clock.advance(ms);
          else if (!freezes || random() < 0.02) {
            frozen.delete(life);
            life.clock.jump(frozenMs + ms);
          } else frozen.set(life, frozenMs + ms);
          const leading = candidates.filter((each) => each !== null && !frozen.has(each) && each.lease.isLeader);
          assert.ok(leading.length <= 1, `two lead after ${lives} lives`);
        }
      };
      for (let n = 0; n < 1_500; n += 1) {
        for (const [position, life] of candidates.entries()) {
          const chance = random();
          // Killed, or never there; what lost for good starts anew as well.
          if (life === null || chance < 0.002 || (life.said.at(-1)?.startsWith('lost') && chance < 0.2))
            candidates[position] = random() < 0.5 ? born() : null;
          else if (chance < 0.05)
            life.way.way = (['open', 'open', 'silent', 'refused', 'lost-answer'] as const)[Math.floor(random() * 5)]!;
          else if (chance < 0.052) void life.lease.release();
        }
        await step(100 + Math.floor(random() * 400));
      }
      assert.ok(terms > 3, `only ${terms} terms: the weather was too good to mean anything`);
      candidates[0] = born();
      for (const life of candidates) if (life !== null) life.way.way = 'open';
      for (let n = 0; n < 500; n += 1) await step(200, false);
      const last = candidates.filter((life) => life?.lease.isLeader);
      assert.equal(last.length, 1, `${lives} lives, ${terms} terms, and nobody leads`);
    });
  }
});
