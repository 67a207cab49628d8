import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActiveEvents } from '../../../host/cluster/active-events.ts';
import type { AgentAnswer, RuleProblem } from '../../../host/cluster/hook-conditions.ts';
import { HookStore, type StoredHook } from '../../../host/cluster/hook-store.ts';
import {
  desiredStatus,
  isPruned,
  isSameStatus,
  recordedEvents,
  statusPatch,
} from '../../../host/cluster/status-merge.ts';
import { type HookStatus, hookStatusSchema } from '../../../host/config/hook-status.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type HookChanges, hookObject, SPEC, taken } from './hook-objects.ts';

const NOW = Date.parse('2026-01-02T03:04:05.678Z');

function stored(changes: HookChanges = {}): StoredHook {
  const store = new HookStore();
  store.put(hookObject(changes));
  const [hook] = store.all;
  assert.ok(hook !== undefined);
  return hook;
}

interface Given {
  readonly ruleProblem?: RuleProblem;
  readonly answers?: readonly AgentAnswer[];
  readonly firings?: number;
  readonly now?: number;
}

function status(hook: StoredHook, { ruleProblem, answers = [], firings = 0, now = NOW }: Given = {}): HookStatus {
  const clock = new FakeClock(NOW);
  const active = new ActiveEvents({ clock, windowMs: 600_000, retentionMs: 1_800_000 });
  for (let n = 0; n < firings; n += 1) active.fired(taken(n, NOW));
  return desiredStatus({
    stored: hook,
    ruleProblem: ruleProblem ?? null,
    answers,
    events: active.of('shop/h'),
    now,
  });
}

function condition({ conditions = [] }: HookStatus, type: string): unknown[] {
  const found = conditions.find((each) => each.type === type);
  return [found?.status, found?.reason, found?.message, found?.lastTransitionTime, found?.observedGeneration];
}

const AT = '2026-01-02T03:04:05.678Z';

describe('status of a Hook', () => {
  it('says that the Hook is in force, and nothing of agents that were not called', () => {
    const made = status(stored());
    assert.deepEqual(condition(made, 'Ready'), ['True', 'HookConfigured', 'The Hook is in force.', AT, 1]);
    assert.deepEqual(condition(made, 'AgentReachable').slice(0, 2), ['Unknown', 'NotCalled']);
    assert.deepEqual([made.activeEvents, made.activeEventCount, made.lastFired], [[], 0, undefined]);
    assert.doesNotThrow(() => hookStatusSchema.parse(made));
  });

  it('names what is wrong, with the path and the words of the field, and what holds meanwhile', () => {
    const spec = { eventConfigurations: [{ ...SPEC.eventConfigurations[0], prompt: ' ' }] };
    const words =
      'Generation 1: spec.eventConfigurations[0].prompt: prompt cannot be empty [HOST_ERR_HOOK]. Nothing of it is in force.';
    assert.deepEqual(condition(status(stored({ spec })), 'Ready').slice(0, 3), [
      'False',
      'InvalidConfiguration',
      words,
    ]);
    const store = new HookStore();
    store.put(hookObject());
    store.put(hookObject({ generation: 2, resourceVersion: '2', spec }));
    const [second] = store.all;
    assert.match(
      String(condition(status(second as StoredHook), 'Ready')[2]),
      /Its last good version stays in force\.$/,
    );
  });

  it('is not ready for a prompt that is no template and for a filter that does not compile', () => {
    for (const [kind, reason] of [
      ['template', 'InvalidTemplate'],
      ['filter', 'InvalidFilter'],
    ] as const) {
      const made = status(stored(), { ruleProblem: { kind, message: 'line 1' } });
      assert.deepEqual(condition(made, 'Ready').slice(0, 3), ['False', reason, 'line 1']);
    }
  });

  it('is ready while it is suspended, and says that it is', () => {
    const made = status(stored({ spec: { ...SPEC, suspend: true } }));
    assert.deepEqual(condition(made, 'Ready').slice(0, 2), ['True', 'Suspended']);
  });

  it('says which agent cannot be reached', () => {
    const answers = [
      { agent: 'a/one', error: null },
      { agent: 'a/two', error: 'no connection' },
    ];
    const bad = status(stored(), { answers });
    assert.deepEqual(condition(bad, 'AgentReachable').slice(0, 3), [
      'False',
      'KagentAPIError',
      'Agent a/two: no connection',
    ]);
    const good = status(stored(), { answers: answers.slice(0, 1) });
    assert.deepEqual(condition(good, 'AgentReachable').slice(0, 2), ['True', 'AgentResponded']);
  });

  it('keeps what was found out of agents over a restart, but not over a change of the Hook', () => {
    const written = status(stored(), { answers: [{ agent: 'a/one', error: 'no connection' }] });
    const again = status(stored({ status: written }), { now: NOW + 5_000 });
    assert.deepEqual(condition(again, 'AgentReachable'), condition(written, 'AgentReachable'));
    const changed = status(stored({ status: written, generation: 2 }));
    assert.equal(condition(changed, 'AgentReachable')[0], 'Unknown');
  });

  it('changes the time of a transition with the status alone, and leaves conditions of others as they are', () => {
    const foreign = { type: 'Mine', status: 'True', reason: 'X', message: '', lastTransitionTime: AT } as const;
    const first = status(stored());
    const written = { ...first, conditions: [...(first.conditions ?? []), foreign] };
    const later = status(stored({ status: written }), { now: NOW + 60_000 });
    assert.equal(condition(later, 'Ready')[3], AT);
    assert.deepEqual(later.conditions?.at(-1), foreign);
    const broken = status(stored({ status: written }), {
      now: NOW + 60_000,
      ruleProblem: { kind: 'filter', message: 'x' },
    });
    assert.equal(condition(broken, 'Ready')[3], '2026-01-02T03:05:05.678Z');
  });

  it('is no other status for the time at which it was written', () => {
    const a = status(stored());
    assert.ok(isSameStatus({ ...a, lastUpdated: AT }, status(stored(), { now: NOW + 1 })));
    assert.ok(!isSameStatus(a, status(stored(), { firings: 1 })));
  });

  it('shows what fired, and is read back as it was', () => {
    const made = status(stored(), { firings: 2 });
    assert.deepEqual([made.activeEventCount, made.lastFired], [2, AT]);
    assert.deepEqual(made.activeEvents?.[0], {
      eventType: 'pod-restart',
      resourceName: 'pod-0',
      namespace: 'shop',
      source: 'kubernetes',
      status: 'firing',
      firstSeen: AT,
      lastSeen: AT,
      messageId: 'message-0',
      dedupKey: '["shop/h","kubernetes","PodRestart","shop","pod-0"]',
    });
    assert.doesNotThrow(() => hookStatusSchema.parse(made));
    const clock = new FakeClock(NOW);
    const active = new ActiveEvents({ clock, windowMs: 600_000, retentionMs: 1_800_000 });
    active.fired(taken(0, NOW));
    active.notified(taken(0, NOW));
    const notified = desiredStatus({
      ...{ stored: stored(), ruleProblem: null, answers: [] },
      events: active.of('shop/h'),
      now: NOW,
    });
    assert.deepEqual(recordedEvents(stored({ status: notified })), active.of('shop/h'));
  });

  it('passes over entries of older khooks, which name no key, and what it says of other Hooks', () => {
    const entry = { eventType: 'pod-restart', resourceName: 'r', firstSeen: AT, lastSeen: AT, status: 'firing' };
    assert.deepEqual(recordedEvents(stored({ status: { activeEvents: [entry] } })), []);
    const ofAnother = { ...entry, dedupKey: '["shop/other","kubernetes","PodRestart","shop","r"]' };
    assert.deepEqual(recordedEvents(stored({ status: { activeEvents: [ofAnother] } })), []);
  });

  it('keeps the newest firing in sight when its event has left', () => {
    const made = status(stored({ status: { lastFired: '2026-01-01T00:00:00.000Z' } }));
    assert.equal(made.lastFired, '2026-01-01T00:00:00.000Z');
  });

  it('is small enough for the API server, whatever fired', () => {
    const clock = new FakeClock(NOW);
    const active = new ActiveEvents({ clock, windowMs: 600_000, retentionMs: 1_800_000 });
    for (let n = 0; n < 1_000; n += 1) {
      const { firing, ...rest } = taken(n, NOW);
      const resourceName = `${'x'.repeat(1_000)}${n}`;
      active.fired({
        ...rest,
        firing: { ...firing, resourceName, dedupKey: JSON.stringify(['shop/h', resourceName]) },
      });
    }
    const made = desiredStatus({
      ...{ stored: stored(), ruleProblem: null, answers: [] },
      events: active.of('shop/h'),
      now: NOW,
    });
    const bytes = JSON.stringify(statusPatch(made, stored(), NOW)).length;
    assert.ok(bytes < 600_000, `${bytes} bytes`);
    assert.ok(made.activeEvents?.at(-1)?.resourceName.endsWith('999'), 'the newest are there');
    assert.equal(made.activeEventCount, 1_000);
  });

  it('knows when the API server has dropped fields', () => {
    const sent = status(stored(), { firings: 1 });
    assert.equal(isPruned(sent, sent), false);
    const { conditions: _, ...rest } = sent;
    assert.equal(isPruned(sent, rest), true);
    const [{ dedupKey: __, ...event }] = sent.activeEvents as [NonNullable<HookStatus['activeEvents']>[number]];
    assert.equal(isPruned(sent, { ...sent, activeEvents: [event] }), true);
  });
});
