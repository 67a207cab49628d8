import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventFrom, parsePayload, withoutCredentials } from '../../../plugins/webhook/event-from.ts';

const PAYLOADS: [title: string, payload: Record<string, unknown>, expected: Record<string, unknown>][] = [
  ['nothing known', { test: 'data' }, { resourceName: 'unknown', message: 'Webhook received' }],
  ['resource and message', { resource: 'api', message: 'down' }, { resourceName: 'api', message: 'down' }],
  ['a namespace', { namespace: 'shop' }, { namespace: 'shop' }],
  ['a reason', { reason: 'Deployed' }, { reason: 'Deployed' }],
  ['a resource that is no text', { resource: 7 }, { resourceName: 'unknown' }],
  ['an empty resource', { resource: ' ' }, { resourceName: 'unknown' }],
  ['a message that is no text', { message: null }, { message: 'Webhook received' }],
  ['a namespace that is no text', { namespace: ['shop'] }, { namespace: undefined }],
];

for (const [title, payload, expected] of PAYLOADS) {
  test(`webhook event: ${title}`, () => {
    const event = eventFrom(payload, {}) as unknown as Record<string, unknown>;
    assert.equal(event.type, 'webhook-received');
    assert.deepEqual(event.tags, { source: 'webhook', method: 'POST' });
    assert.deepEqual(event.metadata, { headers: {}, payload });
    for (const [key, value] of Object.entries(expected)) assert.equal(event[key], value);
  });
}

test('webhook event: the reason defaults to WebhookReceived', () => {
  assert.equal(eventFrom({}, {}).reason, 'WebhookReceived');
});

test('webhook event: a __proto__ key neither pollutes nor supplies a field', () => {
  const payload = parsePayload(Buffer.from('{"__proto__":{"resource":"evil","polluted":1},"message":"m"}'));
  assert.ok(payload.kind === 'object');
  const event = eventFrom(payload.value, {});
  assert.equal(event.resourceName, 'unknown');
  assert.equal(event.message, 'm');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

const CREDENTIALS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-signature',
  'x-hub-signature-256',
  'x-api-key',
  'x-gitlab-token',
  'x-my-secret',
  'x-goog-iap-jwt-assertion',
];

for (const name of CREDENTIALS) {
  test(`webhook event: the header ${name} is left out`, () => {
    assert.deepEqual(withoutCredentials({ [name]: 'hush', 'x-github-event': 'push' }), { 'x-github-event': 'push' });
  });
}

test('webhook event: a repeated header becomes one text', () => {
  assert.deepEqual(withoutCredentials({ 'x-many': ['a', 'b'] }), { 'x-many': 'a, b' });
});

const BODIES: [body: string | Buffer, got: RegExp][] = [
  ['', /got an empty body/],
  ['[1]', /got an array/],
  ['null', /got null/],
  ['"text"', /got a string/],
  ['{"a":', /does not parse/],
  [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /does not parse/],
];

for (const [body, got] of BODIES) {
  test(`webhook payload: ${JSON.stringify(body.toString())} is refused with what was expected`, () => {
    const payload = parsePayload(Buffer.from(body));
    assert.ok(payload.kind === 'invalid');
    assert.match(payload.problem, got);
    assert.match(payload.problem, /expected a JSON object/);
  });
}
