import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainEvent } from '../../../host/commands/explain-event.ts';
import { explainedEventText, trailText } from '../../../host/commands/explain-text.ts';
import { WhyNot } from '../../../host/replay/why-not.ts';
import { hook, rules } from '../match/fixtures.ts';
import { eventRead } from '../replay/recording-support.ts';

const ESC = '\u001b';

const AT = '2026-01-01T00:00:00.000Z';

function ends(event: object, step: string | null = null): string {
  const { version, ...given } = rules({ hooks: [] });
  const scene = { rules: given, whyNot: new WhyNot(given), now: 0 };
  const trail = step === null ? [] : [{ at: AT, step, detail: '' }];
  const { says, fix } = explainEvent(eventRead(event), null, { scene, trail });
  return fix === '' ? says : `${says} → ${fix}`;
}

describe('the end of an event', () => {
  it('says of a firing that was given up whether an agent had it', () => {
    const dead = (cause: string): string => ends({ outcome: 'dead_lettered', cause });
    assert.equal(dead('HOST_ERR_AGENT_REFUSED: x'), 'an agent did not take it: HOST_ERR_AGENT_REFUSED: x');
    assert.match(dead('HOST_ERR_AGENT_TASK: x'), /^an agent took it, and did not bring it to an end: /);
    assert.match(dead('HOST_ERR_OUTBOX_FULL: x'), /^no agent was asked: /);
  });

  it('says of one that has none yet how far its agent is', () => {
    assert.equal(ends({ outcome: null }, 'accepted'), 'it is on its way');
    assert.match(ends({ outcome: null }, 'called'), /its agent was called, and has not answered yet$/);
    assert.match(ends({ outcome: null }, 'failed'), /failed, and is tried again → ask khook doctor/);
  });

  it('does not let more in where more is in already', () => {
    assert.doesNotMatch(ends({ outcome: 'dropped', cause: 'queue_full' }), /eventsPerSecond/);
    assert.match(ends({ outcome: 'dropped', cause: 'rate_limited' }), /raise rateLimit\.eventsPerSecond/);
  });
});

describe('an explanation on a terminal', () => {
  it('lets nothing out of an event move the cursor or begin a line', () => {
    const listener = hook('h', 'PodRestart', { filter: 'event.reason == "x"' });
    const { version, ...given } = rules({ hooks: [listener] });
    const scene = { rules: given, whyNot: new WhyNot(given), now: 0 };
    const hostile = `a${ESC}[2J\nb`;
    const event = eventRead({ resourceName: hostile, reason: hostile, outcome: 'filtered', cause: hostile });
    const trail = [{ at: '2026-01-01T00:00:00.000Z', step: 'received', detail: hostile }];
    const text = explainedEventText(
      explainEvent(event, { verdict: 'filtered', causes: [], firings: [] }, { scene, trail }),
    );
    assert.ok(!text.includes(ESC));
    assert.deepEqual(
      text.split('\n').map((line) => line.slice(0, 4)),
      ['2026', '  00', '  fi', '  - ', '    ', ''],
    );
  });

  it('says where only the trail of an event is known', () => {
    const at = '2026-01-01T00:00:00.000Z';
    const text = trailText({
      ...{ id: 'e-1', plugin: 'p', type: 't', internalType: 'T', resourceName: `r${ESC}`, namespace: 'n', message: '' },
      ...{ receivedAt: at, outcome: null, trail: [{ at, step: 'restored', detail: 'from the outbox' }] },
    });
    assert.equal(
      text,
      'e-1  p:t (T) about r in n\n  00:00:00.000  restored: from the outbox\n  outcome: in flight\n  Only its trail is known: it came before khook was started again, or no matcher has seen it yet.\n',
    );
  });

  it('says that an event would end in another way now, but not where secrets were taken out of it', () => {
    const { version, ...given } = rules({ hooks: [hook('h', 'PodRestart')] });
    const scene = { rules: given, whyNot: new WhyNot(given), now: 0 };
    const firesNow = { verdict: 'fires', causes: [], firings: [] } as const;
    const says = (event: object): string =>
      explainEvent(eventRead({ outcome: 'unmapped', ...event }), firesNow, { scene, trail: [] }).says;
    assert.match(says({}), /; by what is in force now it would be fired for$/);
    assert.doesNotMatch(says({ redacted: true }), /in force/);
  });
});
