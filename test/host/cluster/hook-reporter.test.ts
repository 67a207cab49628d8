import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';
import type { EventRecorder } from '../../../host/cluster/event-recorder.ts';
import type { FiringEvents } from '../../../host/cluster/firing-events.ts';
import { HookReporter } from '../../../host/cluster/hook-reporter.ts';
import { HookStore } from '../../../host/cluster/hook-store.ts';
import type { StatusWriter } from '../../../host/cluster/status-writer.ts';
import type { HookStatus } from '../../../host/config/hook-status.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { hookObject, taken } from './hook-objects.ts';

const WINDOW_MS = 600_000;

function open(t: TestContext) {
  const clock = new FakeClock();
  const store = new HookStore();
  store.put(hookObject());
  const dispatch = new Emitter<FiringEvents>();
  const reporter = new HookReporter({ clock, store, windowMs: WINDOW_MS, retentionMs: 1_800_000 });
  const noted: string[] = [];
  const recorded: string[] = [];
  const status: Pick<StatusWriter, 'note'> = { note: (hook, urgency) => noted.push(`${hook} ${urgency}`) };
  const recorder: Pick<EventRecorder, 'note'> = {
    note: (_, { reason, message }) => recorded.push(`${reason}: ${message}`),
  };
  reporter.follow(dispatch);
  reporter.start({ status, recorder });
  t.after(() => {
    reporter[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });
  const desired = (): HookStatus => {
    const stored = store.find('shop/h');
    assert.ok(stored !== undefined);
    return reporter.desired(stored);
  };
  const reachable = (): (string | undefined)[] => {
    const found = desired().conditions?.find(({ type }) => type === 'AgentReachable');
    return [found?.status, found?.message];
  };
  const take = (list: string[]): string[] => list.splice(0);
  return { clock, store, dispatch, reporter, noted, recorded, desired, reachable, take };
}

describe('hook reporter', () => {
  it('tells the life of a firing: it fires, an agent takes it, the task completes', (t) => {
    const { clock, dispatch, noted, recorded, desired, reachable, take } = open(t);
    const delivery = taken(1, clock.wall());
    dispatch.emit('firing:accepted', delivery);
    assert.deepEqual(take(noted), ['shop/h fired']);
    assert.equal(desired().activeEvents?.[0]?.lastNotified, undefined);
    dispatch.emit('call:accepted', { delivery, agent: 'kagent/k8s-agent' });
    assert.deepEqual(take(noted), ['shop/h sent']);
    assert.notEqual(desired().activeEvents?.[0]?.lastNotified, undefined);
    assert.equal(reachable()[0], 'True');
    dispatch.emit('firing:settled', { delivery, outcome: 'delivered', detail: '' });
    assert.deepEqual(recorded, [
      'EventFiring: Event pod-restart fired for resource pod-1, calling agent k8s-agent',
      'AgentCallSuccess: Successfully called agent k8s-agent for event pod-restart on resource pod-1 (request: context-1)',
    ]);
  });

  it('tells of duplicates, and of those alone that it knows', (t) => {
    const { clock, dispatch, noted, recorded, take } = open(t);
    const { firing, ...rest } = taken(1, clock.wall());
    dispatch.emit('firing:duplicate', { hook: 'shop/h', dedupKey: firing.dedupKey });
    assert.deepEqual(noted, []);
    dispatch.emit('firing:accepted', { firing, ...rest });
    take(noted);
    dispatch.emit('firing:duplicate', { hook: 'shop/h', dedupKey: firing.dedupKey });
    assert.deepEqual(noted, ['shop/h seen']);
    assert.match(
      recorded.at(-1) ?? '',
      /^DuplicateEventIgnored: Duplicate event pod-restart ignored for resource pod-1/,
    );
  });

  it('tells that an agent cannot be reached, and that a firing was given up: its key may fire again anywhere', (t) => {
    const { clock, dispatch, recorded, desired, reachable } = open(t);
    const delivery = taken(1, clock.wall());
    dispatch.emit('firing:accepted', delivery);
    dispatch.emit('call:accepted', { delivery, agent: 'kagent/k8s-agent' });
    const error = { delivery, agent: 'kagent/k8s-agent', code: 'HOST_ERR_AGENT_UNREACHABLE', message: 'no connection' };
    dispatch.emit('call:error', error);
    assert.deepEqual(reachable(), ['False', 'Agent kagent/k8s-agent: no connection']);
    dispatch.emit('firing:settled', { delivery, outcome: 'dead_lettered', detail: 'HOST_ERR_AGENT_REFUSED: no' });
    assert.equal(desired().activeEvents?.[0]?.lastNotified, undefined);
    assert.deepEqual(
      recorded.slice(-2).map((each) => each.split(':')[0]),
      ['AgentCallFailure', 'EventProcessingError'],
    );
  });

  it('does not blame the way to an agent for a task that failed', (t) => {
    const { clock, dispatch, reachable } = open(t);
    const delivery = taken(1, clock.wall());
    dispatch.emit('firing:accepted', delivery);
    dispatch.emit('call:accepted', { delivery, agent: 'kagent/k8s-agent' });
    dispatch.emit('call:error', {
      delivery,
      agent: 'kagent/k8s-agent',
      code: 'HOST_ERR_AGENT_TASK',
      message: 'failed',
    });
    assert.equal(reachable()[0], 'True');
  });

  it('says nothing new when the same agent answers the same', (t) => {
    const { clock, dispatch, noted, take } = open(t);
    for (const n of [1, 2]) {
      const delivery = taken(n, clock.wall());
      dispatch.emit('firing:accepted', delivery);
      const error = { delivery, agent: 'a/b', code: 'HOST_ERR_AGENT_TIMEOUT', message: `late ${n}` };
      take(noted);
      dispatch.emit('call:error', error);
      assert.equal(take(noted).length, n === 1 ? 1 : 0);
    }
  });

  it('tells when events are resolved, and lets them go in the end', async (t) => {
    const { clock, dispatch, noted, recorded, desired, take } = open(t);
    dispatch.emit('firing:accepted', taken(1, clock.wall()));
    take(noted);
    await clock.advance(WINDOW_MS);
    assert.equal(recorded.at(-1), 'EventResolved: Event pod-restart resolved for resource pod-1 after timeout');
    assert.deepEqual(take(noted), ['shop/h changed']);
    assert.deepEqual([desired().activeEventCount, desired().activeEvents?.[0]?.status], [0, 'resolved']);
    await clock.advance(1_200_000);
    assert.deepEqual(desired().activeEvents, []);
    assert.deepEqual(take(noted), ['shop/h changed']);
  });

  it('takes over what stands in the status, and changes nothing of it by that', (t) => {
    const first = open(t);
    const delivery = taken(1, first.clock.wall());
    first.dispatch.emit('firing:accepted', delivery);
    first.dispatch.emit('call:accepted', { delivery, agent: 'a/b' });
    const written = first.desired();
    const second = open(t);
    second.store.put(hookObject({ resourceVersion: '2', status: written }));
    const [record] = second.reporter.adoptRecorded();
    assert.deepEqual([record?.messageId, record?.firstSeen], ['message-1', first.clock.wall()]);
    assert.deepEqual(second.desired(), written);
  });

  it('takes over what only the data directory knows, with what the key says', (t) => {
    const { clock, reporter, desired } = open(t);
    const { firing } = taken(1, 0);
    const times = { firstSeen: clock.wall() - 1_000, lastSeen: clock.wall(), duplicates: 3 };
    reporter.adoptKnown([
      { ...firing, ...times },
      { ...firing, ...times, dedupKey: 'no JSON' },
    ]);
    const [event] = desired().activeEvents ?? [];
    assert.deepEqual(
      [event?.namespace, event?.source, event?.messageId, event?.lastNotified],
      ['shop', 'kubernetes', undefined, new Date(times.firstSeen).toISOString()],
    );
  });

  it('judges all Hooks when they were read anew', (t) => {
    const { store, reporter, noted, desired } = open(t);
    store.put(hookObject({ name: 'other' }));
    reporter.judge(new Map([['shop/h', { kind: 'filter', message: 'no CEL' }]]));
    assert.deepEqual(noted, ['shop/h changed', 'shop/other changed']);
    assert.equal(desired().conditions?.[0]?.message, 'no CEL');
  });
});
