import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Hook } from '../../../host/config/hook.ts';
import { filterSight } from '../../../host/replay/filter-sight.ts';
import { hookFaults } from '../../../host/replay/hook-faults.ts';
import type { Judged } from '../../../host/replay/judge.ts';
import { missOf, NearestMisses, type NearMiss } from '../../../host/replay/nearest-misses.ts';
import { unmappedRemedy } from '../../../host/replay/remedy.ts';
import { WhyNot } from '../../../host/replay/why-not.ts';
import { hook, mapping, rules } from '../match/fixtures.ts';
import { eventRead } from './recording-support.ts';

const SILENT: Judged = { verdict: 'unmatched', causes: [], firings: [] };

const MAPPED = mapping('pod-restrat', 'PodRestrat');

function miss(listener: Hook, event: object = {}, judged: Partial<Judged> = {}): NearMiss {
  const found = missAt(listener, event, judged);
  if (found === null) throw new Error('it is far off');
  return found;
}

function missAt(listener: Hook, event: object = {}, judged: Partial<Judged> = {}): NearMiss | null {
  const { version, ...given } = rules({ hooks: [listener] });
  const by = { hook: listener, rules: given, whyNot: new WhyNot(given) };
  return missOf(eventRead(event), { ...SILENT, ...judged }, by);
}

describe('a miss', () => {
  it('says that a type spelled alike is not enough where the Hook does not see the namespace either', () => {
    const { cause, fix, nearness } = miss(hook('h', 'PodRestarts'), { namespace: 'bank' });
    assert.equal(
      cause,
      'it listens to PodRestarts, not to PodRestart; did you mean PodRestart? And the event was in namespace bank, the Hook sees shop',
    );
    assert.equal(fix, 'write eventType: PodRestart in place of PodRestarts');
    assert.equal(nearness, 1);
  });

  it('is far off where the type is another one', () => {
    assert.equal(missAt(hook('h', 'NodeNotReady')), null);
    assert.equal(missAt(hook('h', 'PodRestart'), { type: 'node-not-ready' }), null);
  });

  it('is far off where the type is one that is mapped itself, however it is spelled', () => {
    const listener = hook('h', 'pod-restrat');
    const { version, ...given } = rules({ hooks: [listener] });
    const knowing = { ...given, mappings: [...given.mappings, MAPPED] };
    const by = { hook: listener, rules: knowing, whyNot: new WhyNot(knowing) };
    assert.equal(missOf(eventRead({}), SILENT, by), null);
    assert.equal(miss(listener).nearness, 1);
  });

  it("of khook's own namespace is seen by who moves there, and by nobody who names it", () => {
    const { fix } = miss(hook('h', 'PodRestart', { namespace: 'bank' }), { namespace: 'kagent' });
    assert.equal(fix, 'move the Hook to namespace kagent');
  });

  it('is nearer the further the event got', () => {
    const near = [
      miss(hook('h', 'PodRestart', { filter: 'false' })),
      miss(hook('h', 'PodRestart', { suspend: true })),
      miss(hook('h', 'PodRestart'), { namespace: 'bank' }),
      miss(hook('h', 'PodRestart'), {}, { verdict: 'invalid', causes: ['message cannot be empty'] }),
      miss(hook('h', 'pod-restrat')),
    ];
    assert.deepEqual(
      near.map(({ nearness }) => nearness),
      [5, 4, 3, 2, 1],
    );
    assert.equal(near[3]?.cause, 'the event is invalid: message cannot be empty');
    const misses = new NearestMisses();
    for (const each of near.toReversed()) misses.add(each);
    assert.deepEqual(
      misses.sorted.map(({ nearness }) => nearness),
      [5, 4, 3, 2, 1],
    );
  });

  it('is told once for all events with the same cause, with the newest of them', () => {
    const misses = new NearestMisses();
    for (const second of ['01', '03', '02'])
      misses.add(miss(hook('h', 'PodRestart'), { namespace: 'bank', receivedAt: `2026-01-01T00:00:${second}Z` }));
    const [only, ...others] = misses.sorted;
    assert.deepEqual([only?.events, others], [3, []]);
    assert.equal(new Date(only?.event.receivedAt ?? 0).toISOString(), '2026-01-01T00:00:03.000Z');
  });
});

describe('a remedy', () => {
  it('of an unmapped type names a mapping that is nearly the right one', () => {
    const { mappings } = rules();
    const said = (event: object): string => unmappedRemedy(eventRead(event), { mappings }).cause;
    assert.equal(
      said({ type: 'pod-restrat' }),
      'no mapping knows kubernetes:pod-restrat; there is one for kubernetes:pod-restart',
    );
    assert.equal(
      said({ source: 'kube', type: 'oom-kill' }),
      'no mapping knows kube:oom-kill; there is one for kubernetes:oom-kill',
    );
    assert.equal(said({ type: 'x' }), 'no mapping knows kubernetes:x');
  });
});

describe('the faults of a Hook', () => {
  const faults = (listener: Hook, plugins = {}, mappings = rules().mappings): string[] => {
    const { version, ...given } = rules({ hooks: [listener], mappings });
    return hookFaults(listener, given, plugins).map(({ cause }) => cause);
  };
  const running = { kubernetes: { eventTypes: ['pod-restart', 'oom-kill'], namespaces: null } };

  it('are none where it is right', () => {
    assert.deepEqual(faults(hook('h', ['PodRestart', 'oom-kill'], { filter: 'event.reason == "x"' }), running), []);
  });

  it('are told for each of its types', () => {
    assert.deepEqual(faults(hook('h', ['PodRestart', 'oom-kil', 'Nothing']), running), [
      'eventType: oom-kil matches no mapping; did you mean oom-kill?',
      'eventType: Nothing matches no mapping',
    ]);
  });

  it('leave a type alone that one of several sources can send', () => {
    const two = [...rules().mappings, mapping('restarted', 'PodRestart', { eventSource: 'other' })];
    assert.deepEqual(faults(hook('h', 'PodRestart'), running, two), []);
    assert.deepEqual(faults(hook('h', 'PodRestart'), {}, two), [
      'eventType: PodRestart: its events come from plugin kubernetes, which is not running',
      'eventType: PodRestart: its events come from plugin other, which is not running',
    ]);
  });
});

describe('what a filter saw', () => {
  const sight = (filter: string, event: object = {}): string[] =>
    filterSight(filter, eventRead(event), mapping('pod-restart', 'PodRestart', { tags: { team: 'a' } }));

  it('is each field that it names, once', () => {
    assert.deepEqual(
      sight('event.reason == "x" && event.reason != "y" && event.severity == "error"', { reason: 'z' }),
      ['event.reason is "z"', 'event.severity is "warning"'],
    );
  });

  it('goes into metadata and tags, however it is written', () => {
    const event = { metadata: { code: 137 }, tags: { zone: 'b' } };
    assert.deepEqual(
      sight(`event.metadata.code == 1 || event.tags["zone"] == "c" || event.metadata.?x.orValue(0) > 1`, event),
      ['event.metadata.code is 137', 'event.tags.zone is "b"', 'event.metadata.x is missing'],
    );
    assert.deepEqual(sight('event.tags.team == "b"'), ['event.tags.team is "a"']);
    assert.deepEqual(sight('has(event.metadata.constructor)'), ['event.metadata.constructor is missing']);
  });

  it('does not take a method for a key, and cuts what is long', () => {
    assert.deepEqual(sight('event.message.startsWith("x")', { message: 'm'.repeat(500) }), [
      `event.message is "${'m'.repeat(79)}…`,
    ]);
    assert.deepEqual(sight('true'), []);
  });

  it('stands what is no event', () => {
    assert.deepEqual(sight('event.reason == "x"', { line: 'nonsense' }), ['event.reason is ""']);
  });
});
