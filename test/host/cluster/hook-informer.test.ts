import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';
import { ApiClient } from '../../../host/cluster/api-client.ts';
import type { ClusterEvents } from '../../../host/cluster/events.ts';
import { HookInformer } from '../../../host/cluster/hook-informer.ts';
import { Refusals } from '../../../host/cluster/refusal.ts';
import type { Clock } from '../../../ipc/clock.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { ApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { hookObject } from './hook-objects.ts';

const NAMES = [
  'hooks:synced',
  'hooks:changed',
  'hooks:stale',
  'hooks:fresh',
  'hooks:refused',
  'access:granted',
] as const;

interface Setting {
  readonly namespaces?: readonly string[];
  readonly clock?: Clock;
  readonly server?: ApiServer;
  readonly maxBackoffMs?: number;
}

async function informing(t: TestContext, setting: Setting) {
  const { namespaces = [], clock = systemClock, server = new ApiServer(), maxBackoffMs = 20 } = setting;
  const connection = await server.open();
  const source = { connection, problem: null, renew: async () => connection };
  const client = new ApiClient({ source, clock: systemClock });
  const events = new Emitter<ClusterEvents>();
  const said: [string, unknown][] = [];
  for (const name of NAMES) events.on(name, (payload) => said.push([name, payload]));
  const refusals = new Refusals({
    clock,
    graceMs: 0,
    isPerNamespace: namespaces.length > 0,
    onRefused: (refusal) => events.emit('hooks:refused', refusal),
    onLifted: (refusal) => events.emit('access:granted', refusal),
  });
  const times = { stableMs: 20, backoff: { initialMs: 5, maxMs: maxBackoffMs, factor: 4 } };
  const informer = new HookInformer({
    ...{ client, clock, random: () => 0, namespaces, events, refusals, times },
  });
  t.after(async () => {
    await informer.close();
    client[Symbol.dispose]();
    await server.close();
    if (clock instanceof FakeClock) assert.equal(clock.pending, 0);
  });
  const names = (): string[] => said.map(([name]) => name);
  return { server, informer, said, names };
}

describe('hook informer', () => {
  it('is synced when every namespace was listed, and says so once', async (t) => {
    const { informer, said, server } = await informing(t, { namespaces: ['a', 'b'] });
    assert.equal(informer.isSynced, false);
    assert.match(informer.problem, /were not read yet/);
    informer.start();
    await eventually(() => informer.isSynced);
    assert.equal(informer.problem, '');
    await informer.relist();
    assert.deepEqual(said, [['hooks:synced', { hooks: 0, namespaces: ['a', 'b'] }]]);
    const paths = new Set(server.requests.map(({ path }) => path));
    assert.deepEqual([...paths].sort(), [
      '/apis/kagent.dev/v1alpha2/namespaces/a/hooks',
      '/apis/kagent.dev/v1alpha2/namespaces/b/hooks',
    ]);
  });

  it('tells of changes once they have settled, and of none that is only of a status', async (t) => {
    const { informer, server, said, names } = await informing(t, {});
    informer.start();
    await eventually(() => server.openWatches === 1);
    let told = 0;
    informer.onChange(() => {
      told += 1;
    });
    for (let n = 0; n < 50; n += 1) server.put(hookObject({ name: `h${n}` }), 'hooks');
    await eventually(() => names().includes('hooks:changed'));
    assert.deepEqual(said.at(-1), ['hooks:changed', { added: 50, changed: 0, removed: 0 }]);
    server.put(hookObject({ name: 'h1', status: { activeEventCount: 1 } }), 'hooks');
    server.put(hookObject({ name: 'h2', generation: 2 }), 'hooks');
    const removed: string[] = [];
    informer.onRemoved((hook) => removed.push(hook));
    server.delete('uid-shop-h3', 'hooks');
    await eventually(() => told === 2);
    assert.deepEqual(said.at(-1), ['hooks:changed', { added: 0, changed: 1, removed: 1 }]);
    assert.deepEqual(removed, ['shop/h3']);
  });

  it('sees Hooks that were deleted while it could not watch', async (t) => {
    const { informer, server } = await informing(t, {});
    server.put(hookObject({ name: 'a' }), 'hooks');
    server.put(hookObject({ name: 'b' }), 'hooks');
    informer.start();
    await eventually(() => informer.store.size === 2);
    const removed: string[] = [];
    informer.onRemoved((hook) => removed.push(hook));
    server.faults = { status: 503 };
    server.closeWatches();
    server.delete('uid-shop-a', 'hooks');
    server.compact();
    server.faults = {};
    await eventually(() => informer.store.size === 1);
    assert.deepEqual(removed, ['shop/a']);
  });

  it('says which rule is missing, once, until it is there', async (t) => {
    const server = new ApiServer();
    server.faults = { status: 403 };
    const { informer, said } = await informing(t, { server });
    informer.start();
    await eventually(() => server.requests.length > 4);
    assert.equal(said.length, 1);
    const [name, refusal] = said[0] ?? [];
    assert.equal(name, 'hooks:refused');
    const rule = '- apiGroups: ["kagent.dev"]\n  resources: ["hooks"]\n  verbs: ["get", "list", "watch"]';
    assert.deepEqual(refusal, { ...(refusal as object), verb: 'list', resource: 'hooks', group: 'kagent.dev', rule });
    server.faults = {};
    await eventually(() => informer.isSynced);
    assert.ok(said.some(([each]) => each === 'access:granted'));
  });

  it('says at once that Hooks cannot be read when none were, and later only when the server stays away', async (t) => {
    const clock = new FakeClock();
    const server = new ApiServer();
    server.faults = { status: 500 };
    const { informer, said, names } = await informing(t, { server, clock, maxBackoffMs: 10_000 });
    informer.start();
    await eventually(() => names().includes('hooks:stale'));
    const [[, stale] = []] = said;
    assert.equal((stale as { isSynced: boolean }).isSynced, false);
    server.faults = {};
    await eventually(async () => {
      await clock.advance(50);
      return informer.isSynced;
    });
    await eventually(() => names().includes('hooks:fresh'));
    said.length = 0;
    server.faults = { status: 500 };
    server.closeWatches();
    await eventually(async () => {
      await clock.advance(5_000);
      return said.length > 0;
    });
    assert.equal(names()[0], 'hooks:stale');
    assert.ok(informer.silentMs >= 240_000, `${informer.silentMs} ms`);
    assert.deepEqual(said[0]?.[1], { ...(said[0]?.[1] as object), isSynced: true });
    assert.equal(informer.isSynced, true, 'what is known stays in force');
  });
});
