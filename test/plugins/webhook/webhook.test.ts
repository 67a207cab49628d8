import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { CodedError } from '../../../ipc/errors.ts';
import type { WebhookConfig } from '../../../plugins/webhook/config.ts';
import { eventually } from '../../support/eventually.ts';
import { importPlugin } from '../../support/khook-plugin.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';
import { DEFAULTS, rawConnection, startWebhook, untilClosed } from './support.ts';

function setEnvironment(t: TestContext, name: string, value: string): void {
  process.env[name] = value;
  t.after(() => delete process.env[name]);
}

test('webhook: answers 200 with the id once the event is accepted', async (t) => {
  const { ctx, post } = await startWebhook(t);
  const response = await post('{"resource":"api","message":"down"}', { authorization: 'Bearer hush', 'x-kind': 'k' });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: 'received', id: 'webhook-1-0' });
  const [event] = ctx.events;
  assert.equal(event?.resourceName, 'api');
  const { headers, payload } = (event?.metadata ?? {}) as Record<string, Record<string, string>>;
  assert.deepEqual(payload, { resource: 'api', message: 'down' });
  assert.equal(headers?.['x-kind'], 'k');
  assert.equal(headers?.authorization, undefined);
  assert.equal(ctx.logged('Webhook event sent')[0]?.level, 'debug');
});

test('webhook: takes the body of the guide, which curl sends as a form', async (t) => {
  const { post } = await startWebhook(t);
  const response = await post('{"test": "data"}', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal(response.status, 200);
});

test('webhook: does not answer 200 before the ack', async (t) => {
  const { ctx, post } = await startWebhook(t);
  ctx.holdAcks();
  let isAnswered = false;
  const answer = post('{}').then((response) => {
    isAnswered = true;
    return response;
  });
  await eventually(() => ctx.events.length === 1);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isAnswered, false);
  ctx.releaseAcks();
  assert.equal((await answer).status, 200);
});

test('webhook: refuses another path, another method and a body that is no object', async (t) => {
  const { url, post } = await startWebhook(t);
  assert.equal((await fetch(`${url}s`, { method: 'POST', body: '{}' })).status, 404);
  assert.equal((await fetch(`${url}?x=1`, { method: 'POST', body: '{}' })).status, 200);
  const wrongMethod = await fetch(url);
  assert.equal(wrongMethod.status, 405);
  assert.equal(wrongMethod.headers.get('allow'), 'POST');
  assert.match(await wrongMethod.text(), /Method not allowed/);
  const wrongBody = await post('[]');
  assert.equal(wrongBody.status, 400);
  assert.match(await wrongBody.text(), /Invalid JSON.*expected a JSON object/);
});

test('webhook: says 503 and takes nothing when there is no credit', async (t) => {
  const { ctx, post } = await startWebhook(t);
  ctx.withholdCredit();
  const response = await post('{}');
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '1');
  assert.match(await response.text(), /Event processing overloaded/);
  ctx.grantCredit();
  assert.deepEqual(ctx.events, []);
  assert.equal((await post('{}')).status, 200);
});

const REFUSALS: [code: string, status: number, body: RegExp][] = [
  ['EVENT_ERR_INVALID', 422, /namespace: must be lower case/],
  ['EVENT_ERR_DROPPED', 503, /Event processing overloaded/],
  ['EVENT_ERR_STOPPING', 503, /Service shutting down/],
  ['EVENT_ERR_TOO_LARGE', 413, /Payload too large/],
  ['SOMETHING_ELSE', 500, /^(?!.*lower case)/],
];

for (const [code, status, body] of REFUSALS) {
  test(`webhook: answers ${status} when the event is refused with ${code}`, async (t) => {
    const { ctx, post } = await startWebhook(t);
    ctx.refuseWith(new CodedError(code, 'namespace: must be lower case'));
    const response = await post('{}');
    assert.equal(response.status, status);
    assert.match(await response.text(), body);
  });
}

test('webhook: says 413 with the limit, and takes a body of exactly the limit', async (t) => {
  const { post } = await startWebhook(t);
  const bodyOf = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`;
  assert.equal((await post(bodyOf(61_440))).status, 200);
  const response = await post(bodyOf(61_441));
  assert.equal(response.status, 413);
  assert.match(await response.text(), /at most 61440 bytes/);
});

test('webhook: says 413 when the body fits and the event does not', async (t) => {
  const { post } = await startWebhook(t);
  const response = await post(JSON.stringify({ message: 'x'.repeat(40_000) }));
  assert.equal(response.status, 413);
  assert.match(await response.text(), /limit is 65536/);
});

test('webhook: cuts an endless body off after the answer', async (t) => {
  const { port } = await startWebhook(t);
  const socket = await rawConnection(t, port);
  socket.write('POST /webhook HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  let sent = 0;
  const pump = (): void => {
    while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
    sent += chunk.length;
  };
  socket.on('drain', pump);
  pump();
  const said = await untilClosed(socket);
  assert.match(said, /^HTTP\/1.1 413 /);
  assert.match(said, /Connection: close/);
  assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes went out`);
});

test('webhook: refuses an announced large body before it is sent', async (t) => {
  const { port } = await startWebhook(t);
  const socket = await rawConnection(t, port);
  socket.write('POST /webhook HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n');
  const said = await untilClosed(socket);
  assert.match(said, /^HTTP\/1.1 413 /);
});

test('webhook: tells a sender that expects it to go on', async (t) => {
  const { port } = await startWebhook(t);
  const socket = await rawConnection(t, port);
  socket.write(
    'POST /webhook HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
  );
  socket.once('data', () => socket.write('{}'));
  assert.match(await untilClosed(socket), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
});

test('webhook: a JSON document nested very deep does no harm', async (t) => {
  const { post } = await startWebhook(t);
  const depth = 25_000;
  const response = await post(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  assert.ok([200, 422].includes(response.status), `got ${response.status}`);
  assert.equal((await post('{}')).status, 200);
});

test('webhook: bearer admits the token of WEBHOOK_TOKEN and nothing else', async (t) => {
  setEnvironment(t, 'WEBHOOK_TOKEN', 'a-token-of-at-least-thirty-two-chars');
  const { ctx, post } = await startWebhook(t, { auth: 'bearer' });
  const refused = await post('{}', { authorization: 'Bearer wrong' });
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer /);
  assert.deepEqual(await refused.json(), { error: 'Unauthorized' });
  assert.deepEqual(ctx.events, []);
  const admitted = await post('{}', { authorization: 'Bearer a-token-of-at-least-thirty-two-chars' });
  assert.equal(admitted.status, 200);
  assert.equal(JSON.stringify(ctx.lines).includes('a-token-of'), false);
});

test('webhook: signature admits the HMAC of the raw body', async (t) => {
  setEnvironment(t, 'WEBHOOK_SECRET', 'a-secret');
  const { ctx, post } = await startWebhook(t, { auth: 'signature' });
  const body = '{ "resource" : "größe" }';
  const hex = createHmac('sha256', 'a-secret').update(body).digest('hex');
  assert.equal((await post(body)).status, 401);
  assert.equal((await post(body, { 'x-signature': hex })).status, 200);
  assert.equal((await post(body, { 'x-hub-signature-256': `sha256=${hex}` })).status, 200);
  assert.equal((await post(`${body} `, { 'x-signature': hex })).status, 401);
  assert.equal(ctx.lines.filter((line) => line.level === 'warn').length, 1, 'the short secret is warned of');
});

test('webhook: a missing credential is a final configuration error', async () => {
  const plugin = await importPlugin<WebhookConfig>('webhook');
  const ctx = new TestPluginContext('webhook');
  await assert.rejects(async () => plugin.initialize?.({ ...DEFAULTS, auth: 'bearer' }, ctx), {
    code: 'PLUGIN_ERR_CONFIG',
    message: /WEBHOOK_TOKEN/,
  });
});

test('webhook: a port in use fails the start with the port and what to do', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const plugin = await importPlugin<WebhookConfig>('webhook');
  const ctx = new TestPluginContext('webhook');
  await plugin.initialize?.({ ...DEFAULTS, port }, ctx);
  await assert.rejects(async () => plugin.start(ctx), {
    code: 'EADDRINUSE',
    message: new RegExp(`cannot listen on 127.0.0.1:${port}: the port is in use: .*another 'port'`),
  });
  assert.equal(ctx.logged('Webhook server failed').length, 1);
  assert.equal(await plugin.healthCheck?.(), false);
  await plugin.stop?.();
});

test('webhook: an error of the running server becomes an event and ends its health', async (t) => {
  const { plugin, ctx, post } = await startWebhook(t);
  let server: Server | undefined;
  const remember = (message: unknown): void => {
    server = (message as { server: Server }).server;
  };
  subscribe('http.server.request.start', remember);
  t.after(() => unsubscribe('http.server.request.start', remember));
  await post('{}');
  assert.equal(await plugin.healthCheck?.(), true);
  server?.emit('error', new Error('accept: too many open files'));
  assert.equal(await plugin.healthCheck?.(), false);
  await eventually(() => ctx.events.length === 2);
  assert.deepEqual(ctx.events[1], {
    type: 'webhook-error',
    resourceName: 'webhook-server',
    message: 'accept: too many open files',
    reason: 'ServerError',
  });
  assert.equal(ctx.logged('Webhook server failed')[0]?.fields.error, 'accept: too many open files');
});
