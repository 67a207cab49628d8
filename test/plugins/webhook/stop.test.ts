import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { WebhookServer } from '../../../plugins/webhook/server.ts';
import { eventually } from '../../support/eventually.ts';
import { importPlugin } from '../../support/khook-plugin.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';
import { DEFAULTS, portOf, rawConnection, startWebhook, untilClosed } from './support.ts';

const REQUEST = 'POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}';

test('webhook stop: connections that wait for nothing do not hold it', async (t) => {
  const { plugin, ctx, port } = await startWebhook(t);
  const keptAlive = await rawConnection(t, port);
  keptAlive.write(REQUEST);
  await new Promise((resolve) => keptAlive.once('data', resolve));
  const silent = await rawConnection(t, port);
  const halfSaid = await rawConnection(t, port);
  halfSaid.write('POST /webhook HT');
  await eventually(() => ctx.events.length === 1);
  ctx.drain();
  const startedAt = performance.now();
  await plugin.stop?.();
  assert.ok(performance.now() - startedAt < 2_000);
  await Promise.all([keptAlive, silent, halfSaid].map((socket) => untilClosed(socket)));
  assert.equal(await plugin.healthCheck?.(), false);
  assert.equal(ctx.logged('Webhook server stopped').length, 1);
});

test('webhook stop: a request in flight gets its honest answer, and its connection is closed', async (t) => {
  const { plugin, ctx, port } = await startWebhook(t);
  ctx.holdAcks();
  const socket = await rawConnection(t, port);
  socket.write(REQUEST);
  await eventually(() => ctx.events.length === 1);
  const stopped = plugin.stop?.();
  ctx.releaseAcks();
  await stopped;
  assert.match(await untilClosed(socket), /^HTTP\/1.1 200 OK.*Connection: close.*"received"/s);
});

test('webhook stop: a request that arrives while draining is told so, and its connection is closed', async (t) => {
  const { ctx, post } = await startWebhook(t);
  ctx.drain();
  const response = await post('{}');
  assert.equal(response.status, 503);
  assert.match(await response.text(), /Service shutting down/);
  assert.equal(response.headers.get('connection'), 'close');
});

test('webhook stop: twice, and before start, is harmless', async (t) => {
  const { plugin, ctx } = await startWebhook(t);
  await plugin.stop?.();
  await plugin.stop?.();
  assert.equal(ctx.logged('Webhook server stopped').length, 1);
  const untouched = await importPlugin('webhook');
  await untouched.stop?.();
});

/** server.ts itself, with times that a test can wait for. */
async function startImpatient(
  t: Pick<TestContext, 'after'>,
): Promise<{ ctx: TestPluginContext; server: WebhookServer }> {
  const ctx = new TestPluginContext('webhook');
  const times = { requestTimeoutMs: 200, confirmTimeoutMs: 50, stopGraceMs: 100 };
  const server = new WebhookServer({ ctx, config: DEFAULTS, authentication: { kind: 'none' }, times });
  await server.start();
  t.after(() => server.stop());
  return { ctx, server };
}

test('webhook: a sender that trickles its headers is cut off', async (t) => {
  const { ctx } = await startImpatient(t);
  const socket = await rawConnection(t, portOf(ctx));
  socket.write('POST /webhook HTTP/1.1\r\nX-');
  const trickle = setInterval(() => socket.write('a'), 20);
  t.after(() => clearInterval(trickle));
  assert.match(await untilClosed(socket), /^HTTP\/1.1 408 /);
});

test('webhook: a sender that trickles its body is cut off', async (t) => {
  const { ctx } = await startImpatient(t);
  const socket = await rawConnection(t, portOf(ctx));
  socket.write('POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n');
  const trickle = setInterval(() => socket.write('a'), 20);
  t.after(() => clearInterval(trickle));
  await untilClosed(socket);
  assert.deepEqual(ctx.events, []);
});

test('webhook: an event that is not confirmed in time is neither 200 nor 503', async (t) => {
  const { ctx } = await startImpatient(t);
  ctx.holdAcks();
  const response = await fetch(`http://127.0.0.1:${portOf(ctx)}/webhook`, { method: 'POST', body: '{}' });
  assert.equal(response.status, 504);
  assert.match(await response.text(), /taken but not confirmed/);
  assert.equal(ctx.events.length, 1);
  ctx.releaseAcks();
  await eventually(() => ctx.logged('Webhook event sent').length === 1);
});

test('webhook stop: a request that never ends is cut after the grace period', async (t) => {
  const { ctx, server } = await startImpatient(t);
  ctx.holdAcks();
  const socket = await rawConnection(t, portOf(ctx));
  socket.write(REQUEST);
  await eventually(() => ctx.events.length === 1);
  await server.stop();
  assert.equal(server.isListening, false);
  await untilClosed(socket);
  assert.equal(ctx.logged('Webhook server stopped').length, 1);
});
