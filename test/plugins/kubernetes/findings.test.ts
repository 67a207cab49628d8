import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventFindings, eventFrom } from '../../../plugins/kubernetes/event-findings.ts';
import type { EventObject } from '../../../plugins/kubernetes/event-object.ts';
import type { Finding } from '../../../plugins/kubernetes/finding.ts';
import { NodeFindings } from '../../../plugins/kubernetes/node-findings.ts';
import { podFindings } from '../../../plugins/kubernetes/pod-findings.ts';
import type { ContainerStatus, PodObject } from '../../../plugins/kubernetes/pod-object.ts';
import { eventObject, nodeObject, podObject } from './support.ts';

const AT = '2026-05-01T12:00:00Z';
const LATER = '2026-05-01T12:05:00Z';

function events(findings: readonly Finding[]) {
  return findings.flatMap((finding) => (finding.kind === 'occurrence' ? [finding.event] : []));
}

/** `type reason`, for each event. */
function brief(findings: readonly Finding[]): string[] {
  return events(findings).map(({ type, reason }) => `${type} ${reason}`);
}

const ended = (reason: string, finishedAt: string | null = AT, exitCode = 1) => ({ reason, finishedAt, exitCode });

type Row = [title: string, containers: Partial<ContainerStatus>[], expected: string[]];

const PODS: Row[] = [
  ['a container that runs', [{}], []],
  ['one that has ended and is not restarted yet', [{ state: { terminated: ended('Error') } }], []],
  ['one that was restarted', [{ restartCount: 1, lastState: { terminated: ended('Error') } }], ['pod-restart Error']],
  [
    'one that was restarted though it ended well',
    [{ restartCount: 1, lastState: { terminated: ended('Completed', AT, 0) } }],
    ['pod-restart Completed'],
  ],
  [
    'one that waits in a crash loop, its first restart not counted yet',
    [{ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: ended('Error') } }],
    ['pod-restart CrashLoopBackOff'],
  ],
  ['one that waits for its image', [{ state: { waiting: { reason: 'ImagePullBackOff' } } }], []],
  [
    'one that was killed for want of memory and is not restarted',
    [{ state: { terminated: ended('OOMKilled', AT, 137) } }],
    ['oom-kill OOMKilled'],
  ],
  [
    'one that was killed for want of memory and restarted',
    [{ restartCount: 4, lastState: { terminated: ended('OOMKilled', AT, 137) } }],
    ['oom-kill OOMKilled', 'pod-restart OOMKilled'],
  ],
  ['one that was killed by somebody else', [{ state: { terminated: ended('Error', AT, 137) } }], []],
  [
    'two, each with a fault of its own',
    [
      { restartCount: 1, lastState: { terminated: ended('Error') } },
      { state: { terminated: ended('OOMKilled', AT, 137) } },
    ],
    ['pod-restart Error', 'oom-kill OOMKilled'],
  ],
  [
    'one that ended nobody knows when, and runs since',
    [{ restartCount: 1, lastState: { terminated: ended('ContainerStatusUnknown', null, 137) } }],
    ['pod-restart ContainerStatusUnknown'],
  ],
  [
    'one that ended nobody knows when, and does not run',
    [{ restartCount: 1, state: { waiting: {} }, lastState: { terminated: ended('Error', null) } }],
    [],
  ],
];

for (const [title, containers, expected] of PODS) {
  test(`pod: ${title} is ${expected.join(' and ') || 'nothing'}`, () => {
    assert.deepEqual(brief(podFindings(podObject('api', containers))), expected);
  });
}

test('pod: init and ephemeral containers are read as well', () => {
  const oom = { name: 'x', state: { terminated: ended('OOMKilled', AT, 137) } };
  for (const sort of ['initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    assert.deepEqual(brief(podFindings(podObject('api', [{}], { [sort]: [oom] }))), ['oom-kill OOMKilled']);
  }
});

test('pod: an end keeps its key and its time while the status around it moves on', () => {
  const end = ended('OOMKilled', AT, 137);
  const states: Partial<ContainerStatus>[] = [
    { state: { terminated: end } },
    { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: end } },
    { restartCount: 1, lastState: { terminated: end } },
  ];
  const keys = states.flatMap((state) =>
    podFindings(podObject('api', [state])).flatMap((finding) =>
      finding.kind === 'occurrence' ? [`${finding.key} ${finding.at} ${finding.count}`] : [],
    ),
  );
  const at = Date.parse(AT);
  assert.deepEqual(new Set(keys), new Set([`uid-api/app/oom-kill ${at} 0`, `uid-api/app/pod-restart ${at} 0`]));
});

test('pod: the event names pod, container, cause and time', () => {
  const words = `  ${'panic: '.repeat(200)}`;
  const pod = podObject('api', [{ restartCount: 2, lastState: { terminated: { ...ended('Error'), message: words } } }]);
  const [event] = events(podFindings(pod));
  assert.match(
    event?.message ?? '',
    /^Container app was restarted, 2 restarts so far: it ended with exit code 1 \(Error\): panic/,
  );
  assert.ok((event?.message.length ?? 0) < 700);
  assert.deepEqual(
    { ...event, message: '' },
    {
      type: 'pod-restart',
      resourceName: 'api',
      namespace: 'shop',
      message: '',
      reason: 'Error',
      timestamp: '2026-05-01T12:00:00.000Z',
      metadata: {
        kind: 'Pod',
        apiVersion: 'v1',
        uid: 'uid-api',
        container: 'app',
        restartCount: 2,
        exitCode: 1,
        node: 'node-1',
      },
    },
  );
});

const SCHEDULED: [condition: Record<string, string>, expected: string[]][] = [
  [{ status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }, ['pod-pending Unschedulable']],
  [{ status: 'False', reason: 'SchedulingGated' }, []],
  [{ status: 'True' }, []],
];

for (const [condition, expected] of SCHEDULED) {
  test(`pod: PodScheduled ${condition.status} ${condition.reason ?? ''} is ${expected[0] ?? 'nothing'}`, () => {
    const conditions = [{ type: 'PodScheduled', lastTransitionTime: AT, ...condition }];
    assert.deepEqual(brief(podFindings(podObject('api', [], { phase: 'Pending', conditions }))), expected);
  });
}

test('pod: never throws on what an API server may leave out', () => {
  const text = fc.option(fc.string(), { nil: undefined });
  const time = fc.option(fc.constantFrom(AT, '', 'soon'), { nil: null });
  const end = fc.record({ reason: text, finishedAt: time, startedAt: time }, { requiredKeys: [] });
  const state = fc.record({ terminated: end, waiting: fc.record({ reason: text }) }, { requiredKeys: [] });
  const container = fc.record(
    { name: fc.string(), restartCount: fc.nat(), state, lastState: state },
    { requiredKeys: ['name'] },
  );
  const list = fc.option(fc.array(container), { nil: null });
  const condition = fc.record(
    { type: text, status: text, reason: text, lastTransitionTime: time },
    { requiredKeys: [] },
  );
  const status = fc.record(
    { containerStatuses: list, initContainerStatuses: list, conditions: fc.option(fc.array(condition), { nil: null }) },
    { requiredKeys: [] },
  );
  const metadata = fc.record({ uid: fc.string(), resourceVersion: fc.string(), name: fc.string() });
  const pod = fc.record({ metadata, status }, { requiredKeys: ['metadata'] });
  fc.assert(fc.property(pod, (given) => Array.isArray(podFindings(given as PodObject))));
});

test('node: Ready False and Unknown are node-not-ready, at the time of the transition', () => {
  for (const status of ['False', 'Unknown']) {
    const node = nodeObject('n7', {
      status,
      since: LATER,
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting',
    });
    assert.deepEqual(events(new NodeFindings().read(node)), [
      {
        type: 'node-not-ready',
        resourceName: 'n7',
        message: 'Node n7 is not ready: Kubelet stopped posting',
        reason: 'NodeStatusUnknown',
        timestamp: '2026-05-01T12:05:00.000Z',
        metadata: { kind: 'Node', apiVersion: 'v1', uid: 'uid-n7', ready: status },
      },
    ]);
  }
  assert.deepEqual(new NodeFindings().read(nodeObject('n7', { status: 'True', since: LATER })), []);
});

test('node: one that has just joined did not stop being ready, unless it was', () => {
  const joining = nodeObject('n8', { status: 'False', since: AT }, AT);
  const nodes = new NodeFindings();
  assert.deepEqual(nodes.read(joining), []);
  nodes.read(nodeObject('n8', { status: 'True', since: AT }, AT));
  assert.equal(nodes.read(joining).length, 1);
  nodes.forget(joining);
  assert.deepEqual(nodes.read(joining), []);
  assert.deepEqual(nodes.read({ metadata: { uid: 'u', resourceVersion: '1' } }), []);
});

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

test('event: one about a node has no namespace, as the node itself, so that both are the same to a Hook', () => {
  const event = eventObject(
    'e',
    { regarding: { kind: 'Node', name: 'n7' }, reason: 'NodeNotReady' },
    { namespace: 'default' },
  );
  const [fromEvent] = events(eventFindings(event));
  const [fromNode] = events(new NodeFindings().read(nodeObject('n7', { status: 'False', since: AT })));
  const subject = (each: typeof fromNode) => [each?.type, each?.namespace, each?.resourceName];
  assert.deepEqual(subject(fromEvent), subject(fromNode));
});

test('event: one about a pod is the same to a Hook as what the status of the pod says', () => {
  const [fromEvent] = events(eventFindings(eventObject('e')));
  const pod = podObject('api', [{ restartCount: 1, lastState: { terminated: ended('Error') } }]);
  const [fromPod] = events(podFindings(pod));
  const subject = (each: typeof fromPod) => [each?.type, each?.namespace, each?.resourceName];
  assert.deepEqual(subject(fromEvent), subject(fromPod));
});

test('event: is dated by the newest of its times', () => {
  const old = '2026-05-01T11:00:00Z';
  const rows: [times: Partial<EventObject>, created: string, expected: string | null][] = [
    [{}, AT, AT],
    [{ deprecatedLastTimestamp: AT, eventTime: null }, old, AT],
    [{ eventTime: old, series: { count: 9, lastObservedTime: AT } }, old, AT],
    [{ eventTime: AT }, old, AT],
    [{ eventTime: 'soon' }, old, old],
    [{ eventTime: 'soon' }, 'never', null],
  ];
  for (const [times, creationTimestamp, expected] of rows) {
    const [finding] = eventFindings(eventObject('e', times, { creationTimestamp }));
    const at = finding?.kind === 'occurrence' ? finding.at : assert.fail();
    assert.equal(at, expected === null ? null : Date.parse(expected), JSON.stringify(times));
  }
});
