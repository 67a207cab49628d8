import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Judged } from '../../../host/replay/judge.ts';
import { WhyNot } from '../../../host/replay/why-not.ts';
import { hook, mapping, rules } from '../match/fixtures.ts';
import { eventRead } from './recording-support.ts';

const SILENT: Judged = { verdict: 'unmatched', causes: [], firings: [] };

/** Why the event does not fire for Hook shop/h, which is the only one. */
function why(
  changes: Parameters<typeof hook>[2] & { name?: string; eventType?: string } = {},
  {
    event = {},
    judged = {},
    more = {},
  }: { event?: object; judged?: Partial<Judged>; more?: Parameters<typeof rules>[0] } = {},
): string {
  const { name = 'h', eventType = 'PodRestart', ...rest } = changes;
  const { version, ...given } = rules({ hooks: [hook(name, eventType, rest)], ...more });
  return new WhyNot(given).say(eventRead(event), 'shop/h', { ...SILENT, ...judged });
}

describe('why not', () => {
  it('names the first thing in the way, from the event itself to the filter', () => {
    const bad = { judged: { verdict: 'invalid', causes: ['message cannot be empty'] } } as const;
    assert.equal(why({ suspend: true }, bad), 'invalid: message cannot be empty');
    assert.equal(why({}, { event: { type: 'x' } }), 'unmapped: no mapping knows kubernetes:x');
    const off = { more: { mappings: [mapping('pod-restart', 'PodRestart', { enabled: false })] } };
    assert.equal(why({}, off), 'mapping_disabled: the mapping of kubernetes:pod-restart is switched off');
    assert.equal(why({ name: 'other' }), 'there is no such Hook');
    assert.equal(why({ eventType: 'OOMKill', suspend: true }), 'type: it listens to OOMKill, not to PodRestart');
    const elsewhere = { event: { namespace: 'bank' } };
    assert.equal(why({ suspend: true }, elsewhere), 'namespace: it sees events of shop, not of bank');
    assert.equal(why({ suspend: true, filter: 'false' }), 'suspended');
    assert.equal(why({ filter: 'event.reason ==\n   "x"' }), 'filtered: its filter is event.reason == "x"');
  });

  it('knows a Hook that names its type in either spelling', () => {
    assert.equal(why({ eventType: 'pod-restart', suspend: true }), 'suspended');
  });

  it('says which namespaces a Hook of the controller sees, and what a plugin without one is for', () => {
    const own = { controllerNamespace: 'shop' };
    const bank = { namespace: 'bank' };
    assert.equal(
      why({ namespaces: ['a', 'b'] }, { event: bank, more: own }),
      'namespace: it sees events of shop, a, b, not of bank',
    );
    // Elsewhere than in the controller's namespace they have no effect.
    assert.equal(why({ namespaces: ['bank'] }, { event: bank }), 'namespace: it sees events of shop, not of bank');
    const scoped = { event: { namespace: undefined }, more: { pluginNamespaces: { kubernetes: ['bank', 'mill'] } } };
    assert.equal(why({}, scoped), 'namespace: the event has none, and plugin kubernetes is for Hooks of bank, mill');
  });

  it('says why a filter failed, where the judge has told it', () => {
    const failed = (text: string): string => why({ filter: 'x' }, { judged: { causes: [text] } });
    assert.equal(
      failed('Hook shop/h did not match, because its filter failed: 1:1: no such key'),
      'filtered: its filter failed: 1:1: no such key',
    );
    assert.equal(
      failed('refused by the filter of Hook shop/i; that of shop/h failed: 1:1: no such key'),
      'filtered: its filter failed: 1:1: no such key',
    );
    assert.equal(failed('that of shop/hh failed: 1:1: no'), 'filtered: its filter is x');
  });

  it('cuts a long filter', () => {
    assert.match(why({ filter: `event.message == "${'x'.repeat(500)}"` }), /^filtered: its filter is .{160}…$/);
  });
});
