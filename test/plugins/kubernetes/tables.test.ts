import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApiError, apiErrorFrom } from '../../../plugins/kubernetes/api-error.ts';
import { watchedNamespaces, watchedSources } from '../../../plugins/kubernetes/config.ts';
import { denialOf } from '../../../plugins/kubernetes/denial.ts';
import { countOf, type EventObject } from '../../../plugins/kubernetes/event-object.ts';
import { Freshness, oldestContacts, staleness } from '../../../plugins/kubernetes/freshness.ts';
import { classify } from '../../../plugins/kubernetes/reason-table.ts';
import { reconnectDelay } from '../../../plugins/kubernetes/reconnect-delay.ts';
import { RESOURCES, type ResourceName, scopesOf } from '../../../plugins/kubernetes/resource.ts';
import { Turns } from '../../../plugins/kubernetes/turns.ts';
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
  ['a,b, c', ['b', 'd'], ['b', 'd', 'a', 'c']],
];

for (const [namespace, namespaces, expected] of NAMESPACES) {
  test(`namespaces: '${namespace}' and [${namespaces}] watch [${expected.map((name) => name || 'all')}]`, () => {
    assert.deepEqual(watchedNamespaces({ namespace, namespaces }), expected);
  });
}

test('reconnect delay: within the base after success, then doubling between half the ceiling and the ceiling, up to the cap', () => {
  const delay = (failures: number, random: number, retryAfterMs: number | null = null): number =>
    reconnectDelay({ failures, random, retryAfterMs, baseMs: 500, capMs: 30_000 });
  assert.deepEqual([delay(0, 0), delay(0, 0.9)], [0, 450]);
  assert.equal(delay(1, 0), 250);
  assert.equal(delay(3, 0), 1_000);
  assert.equal(delay(1_000, 0), 15_000);
  assert.equal(delay(1, 0, 7_000), 7_000);
  assert.equal(delay(1, 0, 3_600_000), 60_000);
  fc.assert(fc.property(fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, r) => delay(n, r) <= 30_000));
});

const SCOPES: [namespace: string, source: ResourceName, where: string, remedy: RegExp, rule: string][] = [
  [
    '',
    'events',
    'events.k8s.io/events in all namespaces',
    /^bind a ClusterRole with this rule to the service account 'khook' of 'kagent'; or name the namespaces .*; or leave 'events' out/,
    '- apiGroups: ["events.k8s.io"]\n  resources: ["events"]\n  verbs: ["get", "list", "watch"]',
  ],
  [
    'shop',
    'pods',
    "pods in namespace 'shop'",
    /^bind a ClusterRole, or a Role in namespace 'shop', with this rule to .*; or leave 'pods' out of 'sources'$/,
    '- apiGroups: [""]\n  resources: ["pods"]\n  verbs: ["get", "list", "watch"]',
  ],
  [
    '',
    'nodes',
    'nodes',
    /^bind a ClusterRole with this rule to .*; or leave 'nodes' out of 'sources'$/,
    '- apiGroups: [""]\n  resources: ["nodes"]\n  verbs: ["get", "list", "watch"]',
  ],
];

for (const [namespace, source, where, remedy, rule] of SCOPES) {
  test(`denial: of ${where} names the verb, the resource and the rule that is missing`, () => {
    const message = 'User "system:serviceaccount:kagent:khook" cannot watch';
    const error = apiErrorFrom({ code: 403, message }, { status: 403, verb: 'watch' });
    const denial = denialOf(error, { resource: RESOURCES[source], namespace });
    assert.equal(denial.problem, `not allowed to watch ${where}: the API server answered 403: ${message}`);
    assert.match(denial.remedy, remedy);
    assert.equal(denial.rule, rule);
  });
}

test('denial: an identity that is not accepted is told apart from a missing rule', () => {
  const error = apiErrorFrom('Unauthorized', { status: 401, verb: 'list' });
  const denial = denialOf(error, { resource: RESOURCES.events, namespace: '' });
  assert.match(denial.problem, /does not accept the credentials/);
  assert.match(denial.remedy, /renew the kubeconfig/);
  assert.equal(denial.rule, '');
});

test('api error: takes the code of a Status, and the text of anything else', () => {
  assert.equal(apiErrorFrom({ code: 410 }, { status: 200, verb: 'watch' }).isGone, true);
  assert.equal(apiErrorFrom('invalid resource version', { status: 400, verb: 'watch' }).isGone, true);
  assert.equal(apiErrorFrom('bad', { status: 400, verb: 'list' }).isGone, false);
  const proxy = apiErrorFrom('<html>'.repeat(1_000), { status: 502, verb: 'list', retryAfter: '2' });
  assert.ok(proxy instanceof ApiError && proxy.message.length < 600);
  assert.equal(proxy.status, 502);
  assert.equal(proxy.retryAfterMs, 2_000);
  assert.equal(apiErrorFrom(null, { status: 500, verb: 'list', retryAfter: 'soon' }).retryAfterMs, null);
});

test('sources: without a word all, nodes only where all namespaces are watched', () => {
  const sources = (config: Partial<Parameters<typeof watchedSources>[0]>) =>
    watchedSources({ namespace: '', namespaces: [], sources: [], ...config });
  assert.deepEqual(sources({}), ['events', 'pods', 'nodes']);
  assert.deepEqual(sources({ namespace: 'a' }), ['events', 'pods']);
  assert.deepEqual(sources({ namespaces: ['a'] }), ['events', 'pods']);
  assert.deepEqual(sources({ namespace: 'a', sources: ['nodes'] }), ['nodes']);
});

test('scopes: each source is watched in each namespace, nodes once', () => {
  const scopes = scopesOf(['events', 'nodes', 'events'], ['a', 'b']);
  const brief = scopes.map(({ resource, namespace }) => `${resource.name} ${namespace}`);
  assert.deepEqual(brief, ['events a', 'events b', 'nodes ']);
});

test('freshness: a watch that is not heard for a minute and a half is stale, and says why', () => {
  const events = new Freshness({ resource: RESOURCES.events, namespace: '' }, 0);
  const pods = new Freshness({ resource: RESOURCES.pods, namespace: 'shop' }, 0);
  const at = (now: number, isFull = false) => staleness([events, pods], { now, isFull });
  assert.equal(at(90_000), null);
  assert.match(
    at(90_001) ?? '',
    /^nothing was heard of events.k8s.io\/events in all namespaces, and of 1 more for 90 s: /,
  );
  events.heard(100_000);
  pods.failed('cannot reach it', false);
  assert.equal(at(130_000), "nothing was heard of pods in namespace 'shop' for 130 s: cannot reach it");
  assert.match(at(130_000, true) ?? '', /khook itself takes no events at the moment/);
  pods.heard(130_000);
  pods.established();
  assert.equal(at(190_000), null);
  assert.match(at(250_000) ?? '', /the connection is silent/);
});

test('freshness: what is not allowed is not stale, unless nothing is allowed', () => {
  const events = new Freshness({ resource: RESOURCES.events, namespace: '' }, 0);
  const nodes = new Freshness({ resource: RESOURCES.nodes, namespace: '' }, 0);
  nodes.failed('answered 403', true);
  events.heard(999_000);
  assert.equal(staleness([events, nodes], { now: 1_000_000, isFull: false }), null);
  assert.deepEqual([...oldestContacts([events, nodes])], [['events', 999_000]]);
  events.failed('answered 403', true);
  assert.equal(staleness([events, nodes], { now: 1_009_000, isFull: false }), null, 'not believed yet');
  assert.equal(staleness([events, nodes], { now: 1_009_001, isFull: false }), 'nothing may be read: answered 403');
  nodes.established();
  assert.match(
    staleness([events, nodes], { now: 1_000_000, isFull: false }) ?? '',
    /^nothing was heard of nodes for 1000 s/,
  );
});

test('turns: two at once, the others in the order they came, whatever becomes of those before', async () => {
  const turns = new Turns(2);
  const said: string[] = [];
  const gates: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((n) =>
    turns
      .take(async () => {
        said.push(`begins ${n}`);
        await new Promise<void>((resolve) => gates.push(resolve));
        if (n === 0) throw new Error('it failed');
      })
      .catch(() => said.push(`fails ${n}`)),
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(said, ['begins 0', 'begins 1']);
  gates[0]?.();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(said, ['begins 0', 'begins 1', 'begins 2', 'fails 0']);
  for (const n of [1, 2]) gates[n]?.();
  await new Promise((resolve) => setImmediate(resolve));
  gates[3]?.();
  await Promise.all(all);
  assert.equal(said.at(-1), 'begins 3');
});
