import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApiError, apiErrorFrom } from '../../../plugins/kubernetes/api-error.ts';
import { watchedNamespaces } from '../../../plugins/kubernetes/config.ts';
import { denialOf } from '../../../plugins/kubernetes/denial.ts';
import { eventFrom } from '../../../plugins/kubernetes/event-from.ts';
import { countOf, type EventObject } from '../../../plugins/kubernetes/event-object.ts';
import { KnownVersions } from '../../../plugins/kubernetes/known-versions.ts';
import { classify } from '../../../plugins/kubernetes/reason-table.ts';
import { reconnectDelay } from '../../../plugins/kubernetes/reconnect-delay.ts';
import { isStale } from '../../../plugins/kubernetes/staleness.ts';
import { WatchHealth } from '../../../plugins/kubernetes/watch-health.ts';
import { eventObject } from './support.ts';

type Row = [kind: string, type: string, reason: string, note: string, expected: string];

const REASONS: Row[] = [
  ['Pod', 'Warning', 'OOMKilling', '', 'oom-kill'],
  ['Pod', 'Warning', 'OOMKilled', '', 'oom-kill'],
  ['Pod', 'Warning', 'Killing', 'Container was OOM killed', 'oom-kill'],
  ['Pod', 'Warning', 'Killed', 'ran out of memory', 'oom-kill'],
  ['Pod', 'Warning', 'Killing', 'Stopping container app', 'pod-restart'],
  ['Pod', 'Warning', 'BackOff', 'Back-off restarting failed container', 'pod-restart'],
  ['Pod', 'warning', 'BACKOFF', '', 'pod-restart'],
  ['Pod', 'Warning', 'Failed', 'Error: failed to start container', 'pod-restart'],
  ['Pod', 'Warning', 'Failed', 'Error: ImagePullBackOff', 'reason'],
  ['Pod', 'Warning', 'FailedScheduling', '0/3 nodes are available', 'pod-pending'],
  ['Pod', 'Warning', 'Unhealthy', 'Liveness probe failed: timeout', 'probe-failed'],
  ['Pod', 'Warning', 'Unhealthy', 'Readiness probe failed: 503', 'probe-failed'],
  ['Pod', 'Warning', 'Unhealthy', 'Startup probe failed', 'probe-failed'],
  ['Pod', 'Warning', 'Unhealthy', 'Readiness probe failed: migrations pending', 'probe-failed'],
  ['Pod', 'Warning', 'Unhealthy', 'something is pending', 'reason'],
  ['Pod', 'Warning', 'ProbeWarning', 'Readiness probe warning: pending', 'probe-failed'],
  ['Pod', '', 'ProbeWarning', '', 'reason'],
  ['Pod', 'Warning', 'Pending', '', 'pod-pending'],
  ['Pod', '', 'Pending', '', 'pod-pending'],
  ['Pod', 'Warning', 'FailedMount', 'volume claim is Pending', 'pod-pending'],
  ['Pod', '', 'FailedMount', 'volume claim is pending', 'reason'],
  ['Pod', 'Warning', 'FailedMount', 'no such volume', 'reason'],
  ['Pod', 'Normal', 'Killing', 'out of memory', 'normal'],
  ['Pod', 'NORMAL', 'BackOff', '', 'normal'],
  ['Pod', 'Normal', 'Started', '', 'normal'],
  ['Node', 'Normal', 'NodeNotReady', '', 'node-not-ready'],
  ['Node', 'Warning', 'nodenotready', '', 'node-not-ready'],
  ['Node', 'Normal', 'NodeReady', '', 'reason'],
  ['Node', 'Warning', 'BackOff', '', 'reason'],
  ['Deployment', 'Warning', 'BackOff', '', 'kind'],
  ['', 'Warning', 'BackOff', '', 'kind'],
];

for (const [kind, type, reason, note, expected] of REASONS) {
  test(`reason table: ${kind || 'nothing'} ${type || '(no type)'} ${reason} "${note}" is ${expected}`, () => {
    const found = classify(eventObject('e', { regarding: { kind, name: 'api' }, type, reason, note }));
    assert.equal(found.kind === 'event' ? found.type : found.why, expected);
  });
}

test('reason table: an Event about nothing with a name is ignored', () => {
  assert.deepEqual(classify(eventObject('e', { regarding: { kind: 'Pod' } })), { kind: 'ignored', why: 'nameless' });
});

test('reason table: never throws, whatever fields are missing', () => {
  const text = fc.option(fc.string(), { nil: undefined });
  const fields = fc.record({ type: text, reason: text, note: text, regarding: fc.record({ kind: text, name: text }) });
  fc.assert(fc.property(fields, (given) => ['event', 'ignored'].includes(classify(given as EventObject).kind)));
});

const NOW = Date.parse('2026-05-01T12:00:00Z');
const OLD = '2026-05-01T11:00:00Z';
const RECENT = '2026-05-01T11:50:00.000000Z';

const STALENESS: [title: string, times: Record<string, unknown>, created: string | null, expected: boolean][] = [
  ['just created', {}, RECENT, false],
  ['created long ago', {}, OLD, true],
  ['exactly fifteen minutes old', {}, '2026-05-01T11:45:00Z', false],
  ['one second older than that', {}, '2026-05-01T11:44:59Z', true],
  ['updated in place by a kubelet', { deprecatedLastTimestamp: RECENT, eventTime: null }, OLD, false],
  ['a series that goes on', { eventTime: OLD, series: { count: 9, lastObservedTime: RECENT } }, OLD, false],
  ['a recent eventTime', { eventTime: RECENT }, OLD, false],
  ['everything old', { eventTime: OLD, deprecatedLastTimestamp: OLD, series: { lastObservedTime: OLD } }, OLD, true],
  ['from the future', {}, '2026-05-01T12:30:00Z', false],
  ['without any time', {}, null, false],
  ['with a time that is none', { eventTime: 'soon' }, OLD, true],
];

for (const [title, times, creationTimestamp, expected] of STALENESS) {
  test(`staleness: an Event ${title} is ${expected ? 'stale' : 'news'}`, () => {
    const event = { ...times, metadata: { uid: 'e', resourceVersion: '1', creationTimestamp } } as EventObject;
    assert.equal(isStale(event, NOW), expected);
  });
}

test('event: carries what the Event says', () => {
  const object = eventObject('uid-1', {
    regarding: { kind: 'Pod', name: 'api', apiVersion: 'v1', fieldPath: 'spec.containers{app}' },
    deprecatedLastTimestamp: '2199-01-01T00:00:00Z',
  });
  assert.deepEqual(eventFrom('pod-restart', object), {
    type: 'pod-restart',
    resourceName: 'api',
    message: 'Back-off restarting failed container',
    namespace: 'shop',
    reason: 'BackOff',
    timestamp: '2199-01-01T00:00:00Z',
    metadata: {
      kind: 'Pod',
      apiVersion: 'v1',
      count: 3,
      type: 'Warning',
      reportingController: 'kubelet',
      reportingInstance: 'node-1',
      uid: 'uid-1',
      fieldPath: 'spec.containers{app}',
    },
  });
});

test('event: has a message even when the Event has no note', () => {
  assert.equal(eventFrom('pod-restart', eventObject('e', { note: '' })).message, 'BackOff of Pod api');
});

const COUNTS: [fields: Partial<EventObject>, expected: number][] = [
  [{}, 1],
  [{ deprecatedCount: 7 }, 7],
  [{ series: { count: 9 } }, 9],
  [{ series: null, deprecatedCount: 0 }, 1],
  [{ series: { count: 2 }, deprecatedCount: 5 }, 5],
];

for (const [fields, expected] of COUNTS) {
  test(`count: ${JSON.stringify(fields)} is ${expected}`, () => {
    assert.equal(countOf({ metadata: { uid: 'e', resourceVersion: '1' }, ...fields }), expected);
  });
}

const NAMESPACES: [namespace: string, namespaces: string[], expected: string[]][] = [
  ['', [], ['']],
  ['default', [], ['default']],
  ['', ['a', 'b'], ['a', 'b']],
  ['b', ['a', 'b', 'a'], ['a', 'b']],
];

for (const [namespace, namespaces, expected] of NAMESPACES) {
  test(`namespaces: '${namespace}' and [${namespaces}] watch [${expected.map((name) => name || 'all')}]`, () => {
    assert.deepEqual(watchedNamespaces({ namespace, namespaces }), expected);
  });
}

test('reconnect delay: at once after success, then doubling between half the ceiling and the ceiling, up to the cap', () => {
  const delay = (failures: number, random: number, retryAfterMs: number | null = null): number =>
    reconnectDelay({ failures, random, retryAfterMs, baseMs: 500, capMs: 30_000 });
  assert.equal(delay(0, 0.9), 0);
  assert.equal(delay(1, 0), 250);
  assert.equal(delay(3, 0), 1_000);
  assert.equal(delay(1_000, 0), 15_000);
  assert.equal(delay(1, 0, 7_000), 7_000);
  assert.equal(delay(1, 0, 3_600_000), 60_000);
  fc.assert(fc.property(fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, r) => delay(n, r) <= 30_000));
});

test('known versions: forget the oldest past the limit, and tell what a list no longer holds', () => {
  const known = new KnownVersions(2);
  known.remember('a', '1');
  known.remember('b', '2');
  known.remember('a', '3');
  known.remember('c', '4');
  assert.deepEqual([known.versionOf('a'), known.versionOf('b'), known.versionOf('c')], ['3', undefined, '4']);
  assert.deepEqual(known.forgetAllBut(new Set(['c'])), ['a']);
  assert.equal(known.versionOf('a'), undefined);
});

test('watch health: fails two minutes after the last watch ended, not after the last attempt', () => {
  const health = new WatchHealth(0);
  assert.equal(health.isHealthy(119_999), true);
  assert.equal(health.isHealthy(120_000), false);
  health.established();
  assert.equal(health.isHealthy(999_999), true);
  health.lost(1_000_000);
  health.lost(1_100_000);
  assert.equal(health.isHealthy(1_119_999), true);
  assert.equal(health.isHealthy(1_120_000), false);
});

test('denial: names verb, resource, namespace and the rule that is missing', () => {
  const error = apiErrorFrom({ code: 403, message: 'User cannot watch' }, { status: 403, verb: 'watch' });
  const everywhere = denialOf(error, '');
  assert.match(everywhere.problem, /not allowed to watch events.k8s.io\/events in all namespaces: .*User cannot watch/);
  assert.match(
    everywhere.remedy,
    /ClusterRole with the rule .*apiGroups: \["events.k8s.io"\].*verbs: \["get", "list", "watch"\]/,
  );
  assert.match(denialOf(error, 'shop').remedy, /Role in namespace 'shop'/);
});

test('denial: an identity that is not accepted is told apart from a missing rule', () => {
  const error = apiErrorFrom('Unauthorized', { status: 401, verb: 'list' });
  assert.match(denialOf(error, '').problem, /does not accept the credentials/);
  assert.match(denialOf(error, '').remedy, /renew the kubeconfig/);
});

test('api error: takes the code of a Status, and the text of anything else', () => {
  assert.equal(apiErrorFrom({ code: 410 }, { status: 200, verb: 'watch' }).isGone, true);
  const proxy = apiErrorFrom('<html>'.repeat(1_000), { status: 502, verb: 'list', retryAfter: '2' });
  assert.ok(proxy instanceof ApiError && proxy.message.length < 600);
  assert.equal(proxy.status, 502);
  assert.equal(proxy.retryAfterMs, 2_000);
  assert.equal(apiErrorFrom(null, { status: 500, verb: 'list', retryAfter: 'soon' }).retryAfterMs, null);
});
