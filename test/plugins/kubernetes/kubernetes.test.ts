import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CodedError } from '../../../ipc/errors.ts';
import type { KubernetesConnection, Plugin } from '../../../ipc/plugin-api.ts';
import type { KubernetesConfig } from '../../../plugins/kubernetes/config.ts';
import { ApiServer } from '../../support/api-server.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { importPlugin } from '../../support/khook-plugin.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';
import { eventObject } from './support.ts';

interface Running {
  readonly plugin: Plugin<KubernetesConfig>;
  readonly ctx: TestPluginContext;
  readonly api: ApiServer;
}

interface Given {
  readonly api?: ApiServer;
  readonly config?: Partial<KubernetesConfig>;
  readonly connect?: (connection: KubernetesConnection) => KubernetesConnection;
}

async function startKubernetes(t: TestContext, given: Given = {}): Promise<Running> {
  const { api = new ApiServer(), config = {}, connect = (connection) => connection } = given;
  const plugin = await importPlugin<KubernetesConfig>('kubernetes');
  const ctx = new TestPluginContext('kubernetes');
  ctx.kubernetes = connect(await api.open());
  await plugin.initialize?.({ namespace: '', namespaces: [], debug: true, ...config }, ctx);
  await plugin.start(ctx);
  t.after(async () => {
    ctx.drain();
    ctx.releaseAcks();
    await plugin.stop?.();
    await api.close();
  });
  return { plugin, ctx, api };
}

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
    ['node-not-ready', 'node-7', 'shop'],
  ]);
  assert.equal(api.requests[0]?.path, '/apis/events.k8s.io/v1/events');
  assert.equal(ctx.logged('Kubernetes event watcher established').length, 1);
  assert.equal(await plugin.healthCheck?.(), true);
});

test('kubernetes: an update is emitted only if its count has grown', async (t) => {
  const { ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  for (const deprecatedCount of [1, 1, 2, 2, 5]) api.put(eventObject('e', { deprecatedCount }));
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
  for (const uid of ['a', 'b']) api.put(eventObject(uid, { deprecatedCount: 1 }));
  await eventually(() => ctx.events.length === 2);
  api.faults = { status: 500 };
  api.closeWatches();
  await eventually(() => ctx.logged('Kubernetes event watcher reconnecting').some(({ level }) => level === 'warn'));
  api.put(eventObject('a', { deprecatedCount: 1 }));
  api.put(eventObject('b', { deprecatedCount: 2 }));
  api.compact();
  api.faults = {};
  await eventually(() => ctx.events.length === 3);
  await eventually(() => api.openWatches === 1);
  assert.equal(ctx.events[2]?.metadata?.uid, 'b');
  assert.equal(ctx.events.length, 3);
  assert.equal(ctx.logged('Kubernetes event watcher established').filter(({ level }) => level === 'info').length, 2);
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
  const counted = ctx.metricRecords.map(({ name, labels }) => [name, labels.why]);
  assert.deepEqual(counted, [
    ['kubernetes_events_ignored_total', 'normal'],
    ['kubernetes_events_ignored_total', 'stale'],
  ]);
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

test('kubernetes: a missing permission is told once, with the rule', async (t) => {
  const api = new ApiServer();
  api.faults = { status: 403 };
  const { ctx } = await startKubernetes(t, { api, config: { namespace: 'shop' } });
  await eventually(() => ctx.logged('Kubernetes event watcher reconnecting').length >= 2);
  const errors = ctx.lines.filter(({ level }) => level === 'error');
  assert.equal(errors.length, 1);
  assert.match(
    errors[0]?.message ?? '',
    /^Kubernetes event watcher is not allowed to list events.k8s.io\/events in namespace 'shop'/,
  );
  assert.match(String(errors[0]?.fields.remedy), /events.k8s.io/);
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
  for (let i = 0; i < 200; i += 1) api.put(eventObject(`e${i}`));
  await eventually(() => ctx.events.length >= 64);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ctx.events.length, 64);
  ctx.releaseAcks();
  await eventually(() => ctx.events.length === 200);
  assert.equal(new Set(ctx.events.map(({ metadata }) => metadata?.uid)).size, 200);
});

test('kubernetes: stops at once, even while nothing is acknowledged', async (t) => {
  const { plugin, ctx, api } = await startKubernetes(t);
  await eventually(() => api.openWatches === 1);
  ctx.holdAcks();
  for (let i = 0; i < 100; i += 1) api.put(eventObject(`e${i}`));
  await eventually(() => ctx.events.length === 64);
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
