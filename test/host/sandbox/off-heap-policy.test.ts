import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judgeOffHeap, type Moment } from '../../../host/sandbox/off-heap-policy.ts';
import { OffHeapWatch } from '../../../host/sandbox/off-heap-watch.ts';

const MB = 1024 * 1024;

/** One thread, in MB: handed out by the system, and accounted for by its heap. */
interface Told {
  readonly faulted: number;
  readonly own?: number;
  readonly height?: number;
  readonly unread?: number;
  readonly limit?: number;
  readonly pool?: number;
}

function moment(at: number, unexplained: number, ...threads: readonly Told[]): Moment {
  return {
    at,
    unexplainedBytes: unexplained * MB,
    poolFaultedBytes: 0,
    threads: threads.map(({ faulted, own = 10, height = own, unread = 0, limit = 64, pool = 0 }, id) => ({
      id,
      faultedBytes: faulted * MB,
      poolWork: pool,
      ownBytes: own * MB,
      heightBytes: height * MB,
      unreadBytes: unread * MB,
      limitBytes: limit * MB,
    })),
  };
}

const quiet = { faulted: 30 };
const before = [moment(0, 100, quiet, quiet), moment(200, 100, quiet, quiet)];

describe('off-heap policy', () => {
  it('lays new memory that no heap explains at the door of the thread that had it handed out', () => {
    assert.deepEqual(judgeOffHeap(before, moment(1_000, 240, quiet, { faulted: 170 })), {
      id: 1,
      verdict: {
        reason: 'leak',
        detail: 'took 140 MB within 1 s that its heap does not account for; the host grew by 140 MB, limit 128 MB',
      },
    });
  });

  it('lays what the thread pool had handed out at the doors of those who used it', () => {
    const pooled = {
      ...moment(1_000, 300, { faulted: 30, pool: 10 }, { faulted: 30, pool: 90 }),
      poolFaultedBytes: 200 * MB,
    };
    assert.equal(judgeOffHeap(before, pooled)?.id, 1);
    assert.equal(judgeOffHeap(before, { ...pooled, threads: moment(1_000, 300, quiet, quiet).threads }), null);
  });

  it('finds one of several that leak at once, of which none took a third', () => {
    const leaks = Array.from({ length: 5 }, (_, n) => ({ faulted: 80 + n }));
    const start = moment(0, 100, ...leaks.map(() => quiet));
    assert.equal(judgeOffHeap([start], moment(1_000, 352, ...leaks))?.id, 4);
  });

  const innocent: readonly (readonly [string, readonly Moment[], Moment])[] = [
    ['a host that has grown a little', before, moment(1_000, 220, quiet, { faulted: 150 })],
    ['threads that took nothing', before, moment(1_000, 400, quiet, quiet)],
    ['a thread whose heap explains what it took', before, moment(1_000, 240, quiet, { faulted: 170, own: 150 })],
    ['a thread that takes and gives back', before, moment(1_000, 110, quiet, { faulted: 5_000 })],
    [
      'a heap that grew and shrank again',
      [...before, moment(600, 240, quiet, { faulted: 170, own: 150 })],
      moment(1_000, 240, quiet, { faulted: 170, own: 20 }),
    ],
    [
      'a heap that grew and shrank again between two moments',
      before,
      moment(1_000, 240, quiet, { faulted: 170, own: 20, height: 150 }),
    ],
    ['a thread that took a small part of it', before, moment(1_000, 400, quiet, { faulted: 120 })],
    ['a thread that may have so much by its limit', before, moment(1_000, 240, quiet, { faulted: 170, limit: 256 })],
    ['a thread that parses something large', before, moment(1_000, 240, quiet, { faulted: 170, unread: 120 })],
    [
      'growth of long ago',
      [moment(0, 100, quiet), moment(700_000, 280, quiet)],
      moment(700_200, 280, { faulted: 900 }),
    ],
  ];
  for (const [name, history, present] of innocent) {
    it(`blames nobody for ${name}`, () => assert.equal(judgeOffHeap(history, present), null));
  }

  it('does not wait for the sizes of a thread that has taken four times its limit', () => {
    assert.equal(judgeOffHeap(before, moment(1_000, 400, quiet, { faulted: 300, unread: 270 }))?.id, 1);
  });

  it('blames at most one thread, and none that took less than another', () => {
    const thread = fc.record({ faulted: fc.integer({ min: 30, max: 600 }), own: fc.integer({ min: 0, max: 300 }) });
    fc.assert(
      fc.property(
        fc.array(thread, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 900 }),
        (threads, unexplained) => {
          const start = moment(0, 100, ...threads.map(() => quiet));
          const blame = judgeOffHeap([start], moment(1_000, unexplained, ...threads));
          if (blame === null) return;
          const taken = threads.map(({ faulted, own }) => faulted - 30 - Math.max(0, own - 10));
          assert.equal(taken[blame.id], Math.max(...taken));
          assert.ok(unexplained - 100 > 128);
        },
      ),
    );
  });
});

describe('off-heap watch', () => {
  it('finds a slow leak that no short window shows, and keeps few moments', () => {
    const watch = new OffHeapWatch();
    let foundAt: number | null = null;
    for (let at = 0; at <= 400_000 && foundAt === null; at += 200) {
      const leaked = at / 1_000;
      if (watch.judge(moment(at, 100 + leaked, quiet, { faulted: 30 + leaked })) !== null) foundAt = at;
    }
    assert.equal(foundAt, 128_200);
  });

  it('begins anew when a thread comes or goes', () => {
    const watch = new OffHeapWatch();
    watch.judge(moment(0, 100, quiet));
    assert.equal(watch.isDue(100), false);
    watch.forget();
    assert.equal(watch.isDue(100), true);
    assert.equal(watch.judge(moment(200, 500, { faulted: 500 })), null);
  });
});
