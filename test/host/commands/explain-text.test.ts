import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainEvent } from '../../../host/commands/explain-event.ts';
import { explainedEventText, trailText } from '../../../host/commands/explain-text.ts';
import { WhyNot } from '../../../host/replay/why-not.ts';
import { hook, rules } from '../match/fixtures.ts';
import { eventRead } from '../replay/recording-support.ts';

const ESC = '\u001b';

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
