import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Occurrences } from '../../../plugins/kubernetes/occurrences.ts';

const START = Date.parse('2026-05-01T12:00:00Z');
const MINUTE = 60_000;

function begun(limit = 100): Occurrences {
  const occurrences = new Occurrences(limit);
  occurrences.begin(START);
  return occurrences;
}

test('occurrences: the same is news once; later, or with a higher count, it is news again', () => {
  const occurrences = begun();
  const judge = (at: number, count: number) => occurrences.judge({ key: 'k', at: START + at, count });
  assert.equal(judge(0, 1), 'news');
  assert.equal(judge(0, 1), 'known');
  assert.equal(judge(0, 2), 'news', 'twice within a second');
  assert.equal(judge(1_000, 2), 'news', 'a reporter that does not count');
  assert.equal(judge(0, 2), 'known', 'an older state of it, as a relist may show');
  assert.equal(occurrences.judge({ key: 'other', at: START, count: 1 }), 'news');
});

test('occurrences: what happened more than fifteen minutes before the first list is stale', () => {
  const occurrences = begun();
  assert.equal(occurrences.judge({ key: 'a', at: START - 15 * MINUTE, count: 1 }), 'news');
  assert.equal(occurrences.judge({ key: 'b', at: START - 15 * MINUTE - 1, count: 1 }), 'stale');
  assert.equal(occurrences.judge({ key: 'c', at: null, count: 1 }), 'news', 'it cannot be shown to be old');
  assert.equal(occurrences.judge({ key: 'c', at: null, count: 1 }), 'known');
});

test('occurrences: what happened while the watch was cut is news, however long that took', () => {
  const occurrences = begun();
  occurrences.caughtUp(START + 60 * MINUTE);
  // Three hours later it is listed again.
  occurrences.begin(START + 240 * MINUTE);
  assert.equal(occurrences.judge({ key: 'a', at: START + 61 * MINUTE, count: 1 }), 'news');
  occurrences.caughtUp(START + 240 * MINUTE);
  assert.equal(occurrences.judge({ key: 'b', at: START + 61 * MINUTE, count: 1 }), 'stale');
  occurrences.caughtUp(START);
  assert.equal(occurrences.judge({ key: 'b', at: START + 61 * MINUTE, count: 1 }), 'stale', 'it never goes back');
});

test('occurrences: remembers those of the last minutes, and never more than its limit', () => {
  const occurrences = begun(10);
  for (let n = 0; n < 8; n += 1) occurrences.judge({ key: `old-${n}`, at: START, count: 1 });
  occurrences.caughtUp(START + 20 * MINUTE);
  occurrences.judge({ key: 'new', at: START + 20 * MINUTE, count: 1 });
  assert.equal(occurrences.size, 1);
  for (let n = 0; n < 50; n += 1) occurrences.judge({ key: `burst-${n}`, at: START + 20 * MINUTE, count: 1 });
  assert.equal(occurrences.size, 10);
});

test('occurrences: told again from any point on, nothing is news twice', () => {
  const told = fc.record({ key: fc.constantFrom('a', 'b', 'c'), at: fc.nat(100), count: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(told), fc.nat(), (all, from) => {
      const occurrences = begun(1_000);
      const of = ({ key, at, count }: (typeof all)[number]) => ({ key, at: START + at, count });
      for (const each of all) occurrences.judge(of(each));
      return all.slice(from % (all.length + 1)).every((each) => occurrences.judge(of(each)) === 'known');
    }),
  );
});
