import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainHook, explainNoHook } from '../../../host/replay/explain-hook.ts';
import { WhyNot } from '../../../host/replay/why-not.ts';
import { hook, rules } from '../match/fixtures.ts';
import { eventRead } from '../replay/recording-support.ts';

describe('a Hook, explained', () => {
  it('says which plugins had events dropped before it could see them, and why it is not ready', () => {
    const listener = hook('h', 'PodRestart', { namespace: 'kagent', namespaces: ['*'] });
    const { version, ...given } = rules({ hooks: [listener] });
    const scene = { rules: given, whyNot: new WhyNot(given), now: 0 };
    const snapshot = {
      ...{ namespace: 'kagent', name: 'h', ready: false, reason: 'its filter is broken', eventTypes: [] },
      ...{ suspend: false, lastFired: null, activeEvents: 0 },
    };
    const events = [{ event: eventRead({ outcome: 'dropped' }), judged: null }];
    const plugins = { kubernetes: { eventTypes: ['pod-restart'], namespaces: null } };
    const { says, faults, misses } = explainHook(listener, events, { scene, plugins, snapshot });
    assert.deepEqual(says, [
      'It is in force, listens to PodRestart (for kagent/sre) and sees events of all namespaces.',
      'It has not fired since khook started.',
      'Of the 1 event looked at it matched none.',
      'Of them 1 was dropped before the matcher, from kubernetes.',
      'It is not ready: its filter is broken',
    ]);
    assert.deepEqual([faults, misses], [[], []]);
  });

  it('is looked for under the same name elsewhere, under a name spelled alike, and among all', () => {
    const hooks = [hook('pod-monitoring', 'x'), hook('memory', 'x', { namespace: 'bank' })];
    const cause = (wanted: string): string | undefined => explainNoHook(wanted, hooks).faults[0]?.cause;
    assert.equal(cause('shop/memory'), 'there is no Hook shop/memory in force; did you mean bank/memory?');
    assert.equal(
      cause('bank/pod-monitorng'),
      'there is no Hook bank/pod-monitorng in force; did you mean shop/pod-monitoring?',
    );
    assert.equal(cause('a/b'), 'there is no Hook a/b in force');
    assert.match(explainNoHook('a/b', []).faults[0]?.fix ?? '', /in force is none$/);
  });
});
