import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { History, placed } from '../../../host/replay/history.ts';
import { eventRead, START } from './recording-support.ts';

const WINDOW_MS = 600_000;
const HOUR_MS = 3_600_000;
const FIRING = { hook: 'shop/h', configuration: 0, agent: 'shop/a', key: 'k', decision: 'accepted' };

function time(ms: number): string {
  return new Date(START + ms).toISOString();
}

function history(): History {
  const begun = new History();
  begun.begin({ dedupWindowMs: WINDOW_MS });
  return begun;
}

/** `ms` after the recording began. */
function at(ms: number, ...firings: object[]): [ReturnType<typeof eventRead>, number] {
  const all = firings.map((firing) => ({ ...FIRING, ...firing }));
  return [eventRead({ receivedAt: time(ms), judgedAt: time(ms), firings: all }), START + ms];
}

describe('history', () => {
  it('tells a duplicate of something that the recording does not have, once, and when that had fired', () => {
    const told = history();
    const duplicate = { decision: 'duplicate', until: time(400_000) };
    assert.deepEqual(told.next(...at(0, duplicate)).silenced, [
      { hook: 'shop/h', place: 0, firedAt: START + 400_000 - WINDOW_MS },
    ]);
    assert.deepEqual(told.next(...at(10, duplicate)).silenced, []);
  });

  it('tells nothing of a duplicate whose firing is there', () => {
    const told = history();
    assert.deepEqual(told.next(...at(0, {})).silenced, []);
    assert.deepEqual(told.next(...at(50, { decision: 'duplicate', until: time(WINDOW_MS + 1) })).silenced, []);
    assert.deepEqual(told.next(...at(60, { decision: 'duplicate', of: 'x' })).silenced, []);
  });

  it('knows another key, and another firing of the same key, from the one that is there', () => {
    const told = history();
    told.next(...at(0, {}));
    assert.equal(told.next(...at(1, { key: 'other', decision: 'duplicate', until: time(5) })).silenced.length, 1);
    // It was given back and fired again, which was not recorded.
    const later = { decision: 'duplicate', until: time(WINDOW_MS + 100_000) };
    assert.deepEqual(told.next(...at(200_000, later)).silenced, [
      { hook: 'shop/h', place: 0, firedAt: START + 100_000 },
    ]);
  });

  it('takes what repeats an event of its frame that is not there as fired just now', () => {
    const told = history();
    assert.deepEqual(told.next(...at(5, { decision: 'duplicate', of: 'x' })).silenced, [
      { hook: 'shop/h', place: 0, firedAt: START + 5 },
    ]);
  });

  it('tells when a firing was given up, never at the moment at which it was accepted', () => {
    const told = history();
    const dead = { outcome: 'dead_lettered', endedAt: time(5_000) };
    assert.deepEqual(told.next(...at(1_000, dead)).failures, [{ hook: 'shop/h', place: 0, at: START + 5_000 }]);
    assert.deepEqual(told.next(...at(9_000, { outcome: 'dead_lettered', endedAt: time(9_000) })).failures, [
      { hook: 'shop/h', place: 0, at: START + 9_001 },
    ]);
    assert.equal(told.next(...at(9_500, { decision: 'dropped', reason: 'shutdown' })).failures.length, 1);
    assert.deepEqual(told.next(...at(9_600, { outcome: 'delivered', endedAt: time(9_700) })).failures, []);
  });

  it('tells the calls of an hour that the recording does not have, as soon as a firing has found them used', () => {
    const told = history();
    const found = (calls: number): object => ({ budget: { callsPerHour: 5, calls, until: time(600_000) } });
    assert.deepEqual(told.next(...at(0, { key: 'k0', ...found(3) })).budgets, [
      { hook: 'shop/h', startedAt: START + 600_000 - HOUR_MS, calls: 3 },
    ]);
    assert.deepEqual(told.next(...at(1, { key: 'k1', ...found(4) })).budgets, []);
    assert.deepEqual(told.next(...at(2, { key: 'k2', held: true, ...found(5) })).budgets, []);
    assert.deepEqual(told.next(...at(3, { key: 'k3', decision: 'duplicate', until: time(9) })).budgets, []);
  });

  it('tells nothing of an hour that began within the recording, nor of the digest that ended one', () => {
    const told = history();
    const budget = (calls: number, until?: number): object => ({
      budget: { callsPerHour: 1, calls, ...(until !== undefined && { until: time(until) }) },
    });
    assert.deepEqual(told.next(...at(0, { key: 'k0', ...budget(0) })).budgets, []);
    assert.deepEqual(told.next(...at(5, { key: 'k1', held: true, ...budget(1, HOUR_MS) })).budgets, []);
    // The digest went out when the hour was over, and is the first call of the next.
    assert.deepEqual(told.next(...at(HOUR_MS + 10, { key: 'k2', held: true, ...budget(1, 2 * HOUR_MS) })).budgets, []);
    // This hour had one more call than are known.
    assert.equal(
      told.next(...at(HOUR_MS + 20, { key: 'k3', held: true, ...budget(2, 2 * HOUR_MS) })).budgets.length,
      1,
    );
    assert.deepEqual(told.next(...at(9 * HOUR_MS, { key: 'k4', ...budget(0) })).budgets, []);
  });

  it('forgets all of it when another run of the host begins', () => {
    const told = history();
    told.next(...at(0, {}));
    told.begin({ dedupWindowMs: WINDOW_MS });
    assert.equal(told.next(...at(1, { decision: 'duplicate', until: time(WINDOW_MS) })).silenced.length, 1);
  });

  it('numbers the firings of each Hook by its configurations', () => {
    const firing = (hook: string, configuration: number): { hook: string; configuration: number } => ({
      hook,
      configuration,
    });
    assert.deepEqual(
      placed([firing('a', 3), firing('b', 1), firing('a', 0)]).map(({ hook, place, firing }) => [
        hook,
        place,
        firing.configuration,
      ]),
      [
        ['a', 0, 0],
        ['b', 0, 1],
        ['a', 1, 3],
      ],
    );
  });
});
