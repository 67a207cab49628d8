import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firingWords } from '../../../host/commands/explain-firing.ts';
import type { FiringRead } from '../../../host/replay/recording-line.ts';
import { untilWords } from '../../../host/replay/until-words.ts';

const NOW = Date.parse('2026-01-01T10:00:00Z');

function says(changes: Partial<FiringRead>): string {
  const firing: FiringRead = {
    hook: 'shop/h',
    configuration: 0,
    agent: 'kagent/sre',
    decision: 'accepted',
    ...changes,
  };
  const { says, fix } = firingWords(firing, { now: NOW, judgedAt: NOW - 60_000 });
  return fix === '' ? says : `${says} → ${fix}`;
}

describe('a firing in words', () => {
  it('tells how it ended, and how long its agent took', () => {
    assert.equal(says({}), 'Hook shop/h fired for kagent/sre, which has not done it yet');
    assert.equal(
      says({ outcome: 'delivered', endedAt: NOW - 19_000 }),
      'Hook shop/h fired for kagent/sre, which was done after 41.0 s',
    );
    assert.equal(
      says({ configuration: 2, outcome: 'dropped' }),
      'Hook shop/h[2] fired for kagent/sre, and ended as dropped',
    );
    assert.equal(
      says({ outcome: 'dead_lettered', messageId: 'm' }),
      'Hook shop/h fired for kagent/sre, and was given up; it is dead letter m → look at it with khook dead-letters show m; when its agent works, khook dead-letters retry m',
    );
  });

  it('names the digest that it went out with, and says that it waits for one', () => {
    const budget = { callsPerHour: 3, calls: 3 };
    assert.equal(
      says({ held: true, budget }),
      'Hook shop/h is over its budget of 3 calls an hour; it goes out with a digest → raise spec.callsPerHour if each is to have a call of its own',
    );
    assert.equal(
      says({ held: true, budget, digest: 'd', outcome: 'delivered' }),
      'Hook shop/h fired for kagent/sre with digest d, which was done',
    );
  });

  it('tells why it did not go out', () => {
    assert.equal(says({ decision: 'pending' }), 'Hook shop/h matched; whether it goes out is not decided yet');
    assert.equal(
      says({ decision: 'dropped', reason: 'outbox_full' }),
      'Hook shop/h matched, but was dropped: outbox_full',
    );
    assert.equal(says({ decision: 'duplicate', of: 'e-1' }), 'Hook shop/h matched, but repeats event e-1');
    assert.equal(
      says({ decision: 'duplicate', until: NOW + 42 * 60_000 }),
      'Hook shop/h matched, but had fired for the same before; it is silent for the same until 2026-01-01T10:42:00Z, in 42 min',
    );
  });

  it('says how far off an end is, or that it is over', () => {
    assert.equal(untilWords(NOW + 30_500, NOW), '2026-01-01T10:00:30Z, in 31 s');
    assert.equal(untilWords(NOW, NOW), '2026-01-01T10:00:00Z, which is over');
  });
});
