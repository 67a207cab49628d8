import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMBINED, EventSeries } from '../../../host/cluster/event-series.ts';
import { agentCallFailure, type EventWords, eventFiring, eventResolved } from '../../../host/cluster/event-words.ts';

const HOOK = { namespace: 'shop', name: 'h', uid: 'u' };
const AGENT = { name: 'k8s-agent' };

function firing(resourceName: string): EventWords {
  return eventFiring({ eventType: 'pod-restart', resourceName, agent: AGENT });
}

function open() {
  const series = new EventSeries();
  const note = (words: EventWords, now = 0) => series.note(HOOK, words, { now, wall: 1_000 + now });
  return { series, note };
}

describe('series of Events', () => {
  it('counts what is said again in one Event', () => {
    const { series, note } = open();
    note(firing('a'));
    const event = note(firing('a'), 5);
    assert.equal(series.size, 1);
    assert.deepEqual([event.count, event.unwritten, event.firstAt, event.lastAt], [2, 2, 1_000, 1_005]);
  });

  it('gives the first few messages of a reason Events of their own, and one to the rest', () => {
    const { series, note } = open();
    for (let n = 0; n < 5; n += 1) note(firing(`pod-${n}`));
    const combined = note(firing('pod-5'));
    assert.equal(note(firing('pod-6')), combined);
    assert.deepEqual([series.size, combined.count], [6, 2]);
    assert.ok(combined.words.message.startsWith(`${COMBINED}Event pod-restart fired`));
    assert.equal(note(firing('pod-3')).count, 2, 'those that have one keep it');
  });

  it('does not let one reason take the place of another', () => {
    const { note } = open();
    for (let n = 0; n < 50; n += 1) note(firing(`pod-${n}`));
    const failure = note(agentCallFailure({ eventType: 'e', resourceName: 'r', agent: AGENT }, 'away'));
    assert.ok(!failure.words.message.startsWith(COMBINED));
  });

  it('begins anew after a while: the API server has forgotten the old Event, and people want to see the new one', () => {
    const { note } = open();
    const first = note(firing('a'));
    first.writtenAt = 0;
    for (let n = 0; n < 50; n += 1) note(firing(`pod-${n}`));
    assert.notEqual(note(firing('a'), 600_001), first);
    assert.ok(!note(firing('b'), 600_001).words.message.startsWith(COMBINED));
  });

  it('keeps no more than it may', () => {
    const series = new EventSeries();
    for (let n = 0; n < 10_000; n += 1) {
      series.note({ ...HOOK, uid: `u${n}` }, firing('a'), { now: 0, wall: 0 });
    }
    assert.ok(series.size <= 4_096);
  });
});

describe('words of Events', () => {
  it('are those that people know from earlier khooks', () => {
    const subject = { eventType: 'pod-restart', resourceName: 'api', agent: AGENT };
    assert.equal(firing('api').message, 'Event pod-restart fired for resource api, calling agent k8s-agent');
    const { type, reason, message } = agentCallFailure(subject, 'HTTP 500');
    assert.deepEqual([type, reason], ['Warning', 'AgentCallFailure']);
    assert.equal(message, 'Failed to call agent k8s-agent for event pod-restart on resource api: HTTP 500');
    assert.equal(eventResolved(subject).message, 'Event pod-restart resolved for resource api after timeout');
  });

  it('hold no secret and no more than the API server takes', () => {
    const subject = { eventType: 'e', resourceName: 'r', agent: AGENT };
    const { message } = agentCallFailure(subject, `Authorization: Bearer abcdefgh12345678 ${'x'.repeat(2_000)}`);
    assert.ok(message.length <= 1_024);
    assert.doesNotMatch(message, /abcdefgh12345678/);
  });
});
