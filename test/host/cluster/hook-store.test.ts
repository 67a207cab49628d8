import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clusterHooks } from '../../../host/cluster/cluster-hooks.ts';
import { HookStore } from '../../../host/cluster/hook-store.ts';
import { hookObject, SPEC } from './hook-objects.ts';

const BAD = { eventConfigurations: [{ eventType: 'pod-restart', agentRef: { name: 'a' }, prompt: ' ' }] };

function source(store: HookStore) {
  return clusterHooks({ store, isSynced: true, onChange: () => () => undefined }, []);
}

describe('hook store', () => {
  it('tells a change of a Hook from one of its status', () => {
    const store = new HookStore();
    assert.equal(store.put(hookObject()), 'added');
    assert.equal(store.put(hookObject()), 'none');
    assert.equal(store.put(hookObject({ resourceVersion: '2', status: { activeEventCount: 3 } })), 'status');
    assert.equal(store.find('shop/h')?.status.activeEventCount, 3);
    assert.equal(store.put(hookObject({ resourceVersion: '3', generation: 2 })), 'changed');
  });

  it('keeps the last good version of a Hook that went bad, and names what is wrong', () => {
    const store = new HookStore();
    store.put(hookObject());
    store.put(hookObject({ name: 'other' }));
    store.put(hookObject({ resourceVersion: '2', generation: 2, spec: BAD }));
    const { content, problems } = source(store).read(null);
    assert.deepEqual(
      content.map(({ name, eventConfigurations }) => [name, eventConfigurations[0]?.prompt]),
      [
        ['h', 'Look.'],
        ['other', 'Look.'],
      ],
    );
    const [problem] = problems;
    assert.equal(problem?.subject, 'shop/h');
    assert.equal(problem?.file, 'cluster');
    assert.equal(problem?.path, 'spec.eventConfigurations[0].prompt');
    assert.match(problem?.message ?? '', /prompt cannot be empty/);
    store.put(hookObject({ resourceVersion: '3', generation: 3 }));
    assert.deepEqual(source(store).read(null).problems, []);
  });

  it('does not take the good version of another Hook that had the same name', () => {
    const store = new HookStore();
    store.put(hookObject());
    store.put(hookObject({ uid: 'another', spec: BAD }));
    assert.deepEqual(source(store).read(null).content, []);
    assert.equal(store.remove(hookObject()), false, 'the end of the old one is no news');
    assert.equal(store.size, 1);
  });

  it('is as far as the answers to its own patches, whatever the watch tells late', () => {
    const store = new HookStore();
    store.put(hookObject());
    for (const n of [2, 3]) {
      store.putAnswer(hookObject({ resourceVersion: `${n}`, status: { activeEventCount: n } }));
    }
    assert.equal(store.put(hookObject({ resourceVersion: '2', status: { activeEventCount: 2 } })), 'none');
    assert.equal(store.find('shop/h')?.resourceVersion, '3');
    assert.equal(store.put(hookObject({ resourceVersion: '3', status: { activeEventCount: 3 } })), 'none');
    assert.equal(store.put(hookObject({ resourceVersion: '4', status: {} })), 'status');
  });

  it('comes back to its own version after an older one of somebody else', () => {
    const store = new HookStore();
    store.put(hookObject());
    store.putAnswer(hookObject({ resourceVersion: '3', status: { activeEventCount: 3 } }));
    store.put(hookObject({ resourceVersion: '2', status: {} }));
    store.put(hookObject({ resourceVersion: '3', status: { activeEventCount: 3 } }));
    assert.equal(store.find('shop/h')?.resourceVersion, '3');
  });

  it('forgets what a list of its namespace lacks, and no other', () => {
    const store = new HookStore();
    for (const namespace of ['a', 'b']) for (const name of ['x', 'y']) store.put(hookObject({ namespace, name }));
    assert.deepEqual(store.keepOnly(new Set(['uid-a-x']), 'a'), ['a/y']);
    assert.equal(store.size, 3);
    assert.deepEqual(store.keepOnly(new Set(['uid-a-x']), ''), ['b/x', 'b/y']);
  });

  it('takes any status for what it is worth', () => {
    const store = new HookStore();
    const event = { eventType: 'a', resourceName: 'r', firstSeen: 'yesterday', lastSeen: 'today', status: 'firing' };
    const good = { ...event, firstSeen: '2026-01-02T03:04:05Z', lastSeen: '2026-01-02T03:04:05+01:00' };
    const statuses = [null, 'text', [], { activeEvents: 'none', conditions: {} }, { activeEvents: [event, 7, good] }];
    statuses.forEach((status, n) => {
      store.put(hookObject({ resourceVersion: `v${n}`, status }));
    });
    assert.equal(store.find('shop/h')?.status.activeEvents?.length, 1);
  });

  it('gives the same Hooks in the same order, however they came', () => {
    const digests = [
      ['a', 'b'],
      ['b', 'a'],
    ].map((names) => {
      const store = new HookStore();
      for (const name of names) store.put(hookObject({ name, spec: SPEC }));
      return source(store).read(null).digest;
    });
    assert.equal(digests[0], digests[1]);
  });
});
