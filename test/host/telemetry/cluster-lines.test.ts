import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '../../../host/cluster/refusal.ts';
import { createMetrics } from '../../../host/telemetry/metrics.ts';
import type { HooksReading, MetricSources } from '../../../host/telemetry/snapshot-metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { bench, emitters } from './telemetry-support.ts';

const REFUSAL: Refusal = {
  verb: 'patch',
  resource: 'hooks/status',
  group: 'kagent.dev',
  namespace: 'shop',
  message: 'hooks.kagent.dev "h" is forbidden',
  rule: '- apiGroups: ["kagent.dev"]',
};

test('cluster lines: each state of the Hooks and of access has a line that says what holds meanwhile', () => {
  using at = bench();
  const { cluster } = at.rooms;
  cluster.emit('hooks:stale', { reason: 'no answer', isSynced: false });
  cluster.emit('hooks:synced', { hooks: 3, namespaces: ['a', 'b'] });
  cluster.emit('hooks:stale', { reason: 'no answer', isSynced: true });
  cluster.emit('hooks:fresh', { afterMs: 12_000 });
  cluster.emit('hooks:refused', { ...REFUSAL, verb: 'list', resource: 'hooks' });
  cluster.emit('access:refused', { ...REFUSAL, verb: 'create', resource: 'events', group: '' });
  cluster.emit('access:granted', REFUSAL);
  cluster.emit('leadership:acquired', { from: 'nobody', before: '', term: 1, identity: 'khook-0' });
  cluster.emit('leadership:lost', { why: 'the lease could not be renewed' });
  assert.deepEqual(
    at.lines.parsed.map(({ level, name, msg }) => `${level} ${name}: ${msg}`),
    [
      'warn hook-informer: Hooks of the cluster cannot be read; no plugin runs before they are: no answer',
      'info hook-informer: Hooks of the cluster are followed: 3 in namespaces a, b',
      'warn hook-informer: Hooks of the cluster cannot be read; those that are known stay in force: no answer',
      'info hook-informer: Hooks of the cluster are followed again after 12 s',
      'error cluster-access: Not allowed to list kagent.dev/hooks: add the rule to a role that is bound to khook: hooks.kagent.dev "h" is forbidden',
      'error cluster-access: Not allowed to create events: add the rule to a role that is bound to khook: hooks.kagent.dev "h" is forbidden',
      'info cluster-access: Allowed to patch hooks/status now',
      'info leader-election: This khook leads now, as khook-0: it takes over what fired before, then plugins run',
      'error leader-election: This khook does not lead any more and fires nothing from now on: the lease could not be renewed',
    ],
  );
  assert.equal(at.lines.parsed[4]?.rule, REFUSAL.rule);
});

test('cluster lines: an API server that is away costs a few lines, however many Hooks there are', async () => {
  using at = bench();
  const { cluster } = at.rooms;
  for (let n = 0; n < 1_000; n += 1) {
    cluster.emit('status:error', { hook: `shop/h${n}`, message: 'no answer', retryInMs: 1_000 });
    cluster.emit('record:error', { reason: 'EventFiring', message: 'no answer' });
    cluster.emit('record:dropped', { reason: 'EventFiring', count: 2 });
    cluster.emit('status:written', { hook: 'shop/h' });
    cluster.emit('record:written', { reason: 'EventFiring' });
    cluster.emit('hooks:changed', { added: 1, changed: 0, removed: 0 });
  }
  cluster.emit('status:pruned', { hook: 'shop/h' });
  await at.clock.advance(10_000);
  assert.deepEqual(at.lines.messages, [
    'Status of Hook shop/h0 could not be written: no answer; next attempt in 1.0 s',
    'Event EventFiring could not be written: no answer',
    'Event EventFiring was left out: there are more than can be written',
    'The API server drops a part of what khook writes into the status of Hooks: apply the CustomResourceDefinition of this version; until then a new leader may repeat a firing',
    'Status of Hooks could not be written 999 more times in 10 s: no answer',
    'Events could not be written 999 more times in 10 s: no answer',
    '1998 more Events were left out in 10 s',
  ]);
});

test('cluster metrics: what is asked of the API server is counted, and what it does not allow is shown', async (t) => {
  const rooms = emitters();
  const folder: HooksReading = { isSynced: true, lastContactAt: 1_000, refused: [] };
  const state = { hooks: folder, leads: true };
  const sources: MetricSources = {
    plugins: () => [],
    ledger: () => ({ residual: 0, inFlight: 0 }),
    activeEvents: () => 0,
    outbox: () => ({ firings: 0, hasFault: false, isFull: false, deadLetters: 0 }),
    logLinesLost: () => 0,
    zombieThreads: () => 0,
    isLeader: () => state.leads,
    hooks: () => state.hooks,
  };
  const metrics = createMetrics({ rooms, clock: new FakeClock(), sources, hostMetrics: false });
  t.after(() => metrics[Symbol.dispose]());
  const shown = async (): Promise<string[]> => {
    const { body } = await metrics.scrape();
    return body.split('\n').filter((line) => /^khook_(cluster|hook|leader)/.test(line));
  };
  assert.deepEqual(await shown(), [
    'khook_leader 1',
    'khook_hooks_synced 1',
    'khook_hooks_last_contact_timestamp_seconds 1',
  ]);
  const { cluster } = rooms;
  cluster.emit('request:done', { verb: 'patch', resource: 'hooks/status', outcome: 'conflict' });
  cluster.emit('status:written', { hook: 'h' });
  cluster.emit('status:error', { hook: 'h', message: 'x', retryInMs: 1 });
  cluster.emit('record:dropped', { reason: 'EventFiring', count: 3 });
  state.leads = false;
  state.hooks = { isSynced: true, lastContactAt: 1_700_000_000_500, refused: [REFUSAL] };
  assert.deepEqual((await shown()).sort(), [
    'khook_cluster_refused{verb="patch",resource="hooks/status"} 1',
    'khook_cluster_requests_total{verb="patch",resource="hooks/status",outcome="conflict"} 1',
    'khook_hook_records_total{reason="EventFiring",outcome="dropped"} 3',
    'khook_hook_status_writes_total{outcome="error"} 1',
    'khook_hook_status_writes_total{outcome="written"} 1',
    'khook_hooks_last_contact_timestamp_seconds 1700000000.5',
    'khook_hooks_synced 1',
    'khook_leader 0',
  ]);
  state.hooks = { ...state.hooks, refused: [] };
  assert.ok(!(await shown()).some((line) => line.startsWith('khook_cluster_refused')));
});
