import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../ipc/errors.ts';
import { ApiServer } from '../../support/api-server.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { eventObject, nodeObject, podObject, secondsAgo, startKubernetes } from './support.ts';

test('kubernetes: emits what it finds and what happens after', async (t) => {
  const api = new ApiServer();
  api.put(eventObject('found'));
  const { ctx, plugin } = await startKubernetes(t, { api });
  await eventually(() => api.openWatches === 1);
  api.put(eventObject('node', { regarding: { kind: 'Node', name: 'node-7' }, type: 'Normal', reason: 'NodeNotReady' }));
  await eventually(() => ctx.events.length === 2);
  const brief = ctx.events.map(({ type, resourceName, namespace }) => [type, resourceName, namespace]);
  assert.deepEqual(brief, [
    ['pod-restart', 'api', 'shop'],
    ['node-not-ready', 'node-7', undefined],
  ]);
  assert.equal(api.requests[0]?.path, '/apis/events.k8s.io/v1/events');
  assert.equal(ctx.logged('Kubernetes event watcher established').length, 1);
  assert.equal(await plugin.healthCheck?.(), true);
});

test('kubernetes: an update is emitted only if it happened again', async (t) => {
  const { ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  const metadata = { creationTimestamp: secondsAgo(5) };
  for (const deprecatedCount of [1, 1, 2, 2, 5]) api.put(eventObject('e', { deprecatedCount }, metadata));
  api.put(eventObject('last'));
  await eventually(() => ctx.events.some(({ metadata }) => metadata?.uid === 'last'));
  assert.deepEqual(
    ctx.events.map(({ metadata }) => metadata?.count),
    [1, 2, 5, 3],
  );
});

test('kubernetes: a relist emits only what has grown meanwhile', async (t) => {
  const { ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  const metadata = { creationTimestamp: secondsAgo(5) };
  for (const uid of ['a', 'b']) api.put(eventObject(uid, { deprecatedCount: 1 }, metadata));
  await eventually(() => ctx.events.length === 2);
  api.faults = { status: 500 };
  api.closeWatches();
  await eventually(() => ctx.logged('Kubernetes event watcher reconnecting').some(({ level }) => level === 'warn'));
  api.put(eventObject('a', { deprecatedCount: 1 }, metadata));
  api.put(eventObject('b', { deprecatedCount: 2 }, metadata));
  api.compact();
  api.faults = {};
  const established = () => ctx.logged('Kubernetes event watcher established').filter(({ level }) => level === 'info');
  await eventually(() => established().length === 2);
  assert.equal(ctx.events[2]?.metadata?.uid, 'b');
  assert.equal(ctx.events.length, 3);
});

test('kubernetes: ignored Events are counted, and told at debug', async (t) => {
  const api = new ApiServer();
  api.put(eventObject('normal', { type: 'Normal', reason: 'Started' }));
  const stale = eventObject('stale');
  api.put({ ...stale, metadata: { ...stale.metadata, creationTimestamp: '2020-01-01T00:00:00Z' } });
  const { ctx } = await startKubernetes(t, { api });
  await eventually(() => api.openWatches === 1);
  const lines = ctx.logged('Kubernetes event ignored');
  assert.deepEqual(
    lines.map(({ level, fields }) => [level, fields.why, fields.reason, fields.type]),
    [
      ['debug', 'normal', 'Started', 'Normal'],
      ['debug', 'stale', 'BackOff', 'Warning'],
    ],
  );
  const counted = ctx.metricRecords.filter(({ name }) => name === 'kubernetes_events_ignored_total');
  assert.deepEqual(
    counted.map(({ labels }) => labels.why),
    ['normal', 'stale'],
  );
  assert.deepEqual(ctx.events, []);
});

test('kubernetes: each named namespace has a watch of its own', async (t) => {
  const { api } = await startKubernetes(t, { config: { namespace: 'shop', namespaces: ['bank'] } });
  await eventually(() => api.openWatches === 2);
  const paths = new Set(api.requests.map(({ path }) => path));
  assert.deepEqual([...paths].sort(), [
    '/apis/events.k8s.io/v1/namespaces/bank/events',
    '/apis/events.k8s.io/v1/namespaces/shop/events',
  ]);
});

test('kubernetes: a missing permission is told once, with the rule, and what may be read is read', async (t) => {
  const api = new ApiServer();
  api.faults = { forbidden: ['nodes', 'pods/shop'] };
  const { ctx, plugin } = await startKubernetes(t, {
    api,
    config: { namespace: 'shop', sources: ['events', 'pods', 'nodes'] },
  });
  await eventually(() => api.requests.filter(({ path }) => path === '/api/v1/nodes').length >= 3);
  const errors = ctx.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(errors.map(({ message }) => message.split(':')[0]).sort(), [
    'Kubernetes event watcher is not allowed to list nodes',
    "Kubernetes event watcher is not allowed to list pods in namespace 'shop'",
  ]);
  const { fields } = errors.find(({ message }) => message.includes('pods')) ?? assert.fail();
  const { verb, apiGroup, resource, namespace, rule } = fields;
  assert.deepEqual([verb, apiGroup, resource, namespace], ['list', '', 'pods', 'shop']);
  assert.match(String(rule), /resources: \["pods"\]/);
  api.put(eventObject('e'));
  await eventually(() => ctx.events.length === 1);
  assert.equal(await plugin.healthCheck?.(), true);
  api.faults = {};
  await eventually(() => api.openWatches === 3);
});

test('kubernetes: where nothing may be read its source is stale', async (t) => {
  const api = new ApiServer();
  api.faults = { status: 403 };
  const { plugin } = await startKubernetes(t, { api });
  const verdict = await eventually(async () => {
    const said = await plugin.healthCheck?.();
    return typeof said === 'object' ? said.stale : null;
  }, 20_000);
  assert.match(verdict, /^nothing may be read: the API server answered 403/);
});

test('kubernetes: refused credentials are renewed before anything else is tried', async (t) => {
  const api = new ApiServer();
  api.faults = { tokens: ['new'] };
  api.put(eventObject('e'));
  const { ctx } = await startKubernetes(t, {
    api,
    connect: (connection) => ({ ...connection, token: 'old' }),
  });
  ctx.onRenew = () => {
    if (ctx.kubernetes !== null) ctx.kubernetes = { ...ctx.kubernetes, token: 'new' };
  };
  await eventually(() => ctx.events.length === 1);
  assert.deepEqual([ctx.renewals, ctx.lines.filter(({ level }) => level === 'error')], [1, []]);
});

test('kubernetes: the status of pods and nodes tells what no Event does', async (t) => {
  const api = new ApiServer();
  const { ctx } = await startKubernetes(t, { api, config: { sources: ['events', 'pods', 'nodes'] } });
  await eventually(() => api.openWatches === 3);
  api.put(podObject('web'), 'pods');
  const end = { reason: 'OOMKilled', exitCode: 137, finishedAt: secondsAgo(0) };
  api.put(podObject('web', [{ restartCount: 1, lastState: { terminated: end } }]), 'pods');
  api.put(podObject('web', [{ restartCount: 1, lastState: { terminated: end } }]), 'pods');
  api.put(nodeObject('n1', { status: 'True', since: secondsAgo(600) }), 'nodes');
  api.put(nodeObject('n1', { status: 'False', since: secondsAgo(0) }), 'nodes');
  await eventually(() => ctx.events.length === 3);
  assert.deepEqual(ctx.events.map(({ type, resourceName }) => `${type} ${resourceName}`).sort(), [
    'node-not-ready n1',
    'oom-kill web',
    'pod-restart web',
  ]);
});

test('kubernetes: a pod that is deleted before its end was seen tells it with its last words', async (t) => {
  const api = new ApiServer();
  const { ctx } = await startKubernetes(t, { api, config: { sources: ['pods'] } });
  await eventually(() => api.openWatches === 1);
  api.faults = { status: 503 };
  api.closeWatches();
  await eventually(() => api.openWatches === 0);
  const end = { reason: 'OOMKilled', exitCode: 137, finishedAt: secondsAgo(0) };
  api.put(podObject('job', [{ state: { terminated: end } }]), 'pods');
  api.delete('uid-job', 'pods');
  api.faults = {};
  await eventually(() => ctx.events.length === 1);
  assert.equal(ctx.events[0]?.type, 'oom-kill');
});

test('kubernetes: a fresh start tells again what is young, and keeps silent about the rest', async (t) => {
  const api = new ApiServer();
  for (const [name, seconds] of [
    ['young', 600],
    ['old', 1_000],
  ] as const) {
    const end = { reason: 'Error', exitCode: 1, finishedAt: secondsAgo(seconds) };
    api.put(podObject(name, [{ restartCount: 1, lastState: { terminated: end } }]), 'pods');
  }
  const { ctx } = await startKubernetes(t, { api, config: { sources: ['pods'] } });
  await eventually(() => api.openWatches === 1);
  assert.deepEqual(
    ctx.events.map(({ resourceName }) => resourceName),
    ['young'],
  );
});

test('kubernetes: a clock that differs from that of the API server makes nothing old', async (t) => {
  for (const clockAheadMs of [-3_600_000, 3_600_000]) {
    const api = new ApiServer();
    api.faults = { clockAheadMs };
    const at = (ageMs: number): string => new Date(Date.now() + clockAheadMs - ageMs).toISOString();
    api.put(eventObject('young', {}, { creationTimestamp: at(600_000) }));
    api.put(eventObject('old', {}, { creationTimestamp: at(1_000_000) }));
    const { ctx } = await startKubernetes(t, { api });
    await eventually(() => api.openWatches === 1);
    assert.deepEqual(
      ctx.events.map(({ metadata }) => metadata?.uid),
      ['young'],
    );
  }
});

test('kubernetes: an object that cannot be read is told, and costs nothing else', async (t) => {
  const { ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  api.put({ ...eventObject('strange'), note: 42 } as never);
  api.put(eventObject('good'));
  await eventually(() => ctx.events.length === 1);
  assert.equal(ctx.logged('Kubernetes object cannot be read')[0]?.fields.uid, 'strange');
});

test('kubernetes: an outage is told when it begins and when it is over', async (t) => {
  const { ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  api.faults = { status: 503 };
  api.closeWatches();
  await eventually(() => api.requests.length > 4);
  api.faults = {};
  // The server knows of the watch before the watcher has heard its answer.
  await eventually(() => ctx.logged('Kubernetes event watcher established').length === 2);
  const told = ctx.lines.filter(({ level, message }) => level !== 'debug' && message.includes('watcher'));
  assert.deepEqual(
    told.map(({ level, message }) => `${level} ${message}`),
    [
      'info Kubernetes event watcher started',
      'info Kubernetes event watcher established',
      'warn Kubernetes event watcher reconnecting',
      'info Kubernetes event watcher established',
    ],
  );
});

test('kubernetes: a refused event does not stop the watch', async (t) => {
  const { ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  ctx.refuseWith(new CodedError('EVENT_ERR_INVALID', 'namespace: must be lower case'));
  api.put(eventObject('bad'));
  await eventually(() => ctx.logged('Kubernetes event refused').length === 1);
  ctx.refuseWith(null);
  api.put(eventObject('good'));
  await eventually(() => ctx.events.length === 2);
});

test('kubernetes: without credit it reads no further than its window, and loses nothing', async (t) => {
  const { ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  ctx.holdAcks();
  for (let i = 0; i < 600; i += 1) api.put(eventObject(`e${i}`));
  await eventually(() => ctx.events.length >= 256);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ctx.events.length, 256);
  ctx.releaseAcks();
  await eventually(() => ctx.events.length === 600);
  assert.equal(new Set(ctx.events.map(({ metadata }) => metadata?.uid)).size, 600);
});

test('kubernetes: stops at once, even while nothing is acknowledged', async (t) => {
  const { plugin, ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  ctx.holdAcks();
  for (let i = 0; i < 400; i += 1) api.put(eventObject(`e${i}`));
  await eventually(() => ctx.events.length === 256);
  ctx.drain();
  await plugin.stop?.();
  assert.equal(ctx.logged('Kubernetes event watcher stopped').length, 1);
  await eventually(() => api.openWatches === 0);
});

test('kubernetes: speaks TLS with the authority and the client certificate of the connection', async (t) => {
  const certificates = makeCertificates(t);
  const api = new ApiServer(certificates);
  api.put(eventObject('e'));
  const { ctx } = await startKubernetes(t, {
    api,
    connect: (connection) => ({ ...connection, token: null, clientCertificate: certificates.client }),
  });
  await eventually(() => ctx.events.length === 1);
  assert.equal(api.requests[0]?.clientName, 'client');
  assert.equal(api.requests[0]?.authorization, undefined);
});

test('kubernetes: a server that the authority did not sign is refused, unless verification is off', async (t) => {
  const certificates = makeCertificates(t);
  const api = new ApiServer(certificates);
  const { ctx } = await startKubernetes(t, { api, connect: (connection) => ({ ...connection, ca: null }) });
  const line = await eventually(() => ctx.logged('Kubernetes event watcher reconnecting')[0]);
  assert.match(String(line.fields.why), /cannot reach the API server at https:.*certificate/);
  assert.equal(api.requests.length, 0);
  assert.ok(ctx.kubernetes);
  ctx.kubernetes = { ...ctx.kubernetes, skipTlsVerify: true };
  await eventually(() => api.openWatches === 1);
});
