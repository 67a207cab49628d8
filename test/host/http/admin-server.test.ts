import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { HostError, type HostErrorCode } from '../../../host/base/errors.ts';
import { adminServer } from '../../../host/http/admin-server.ts';
import { loopbackGuard } from '../../../host/http/loopback-guard.ts';
import type { HostOperations } from '../../../host/http/view.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { DEAD_LETTER, EVENT, rawRequest, serve, view } from './http-support.ts';

/** An admin server whose operations write down what was asked of them. */
async function open(t: TestContext, changes: Partial<HostOperations> = {}) {
  const asked: unknown[] = [];
  const operations: HostOperations = {
    setLogLevel: (level, plugin) => void asked.push(['level', level, plugin]),
    restartPlugin: async (name) => void asked.push(['restart', name]),
    emit: async (event) => {
      asked.push(['emit', event]);
      return EVENT;
    },
    profile: async (request) => {
      asked.push(['profile', request]);
      return new Uint8Array([1, 2]);
    },
    retryDeadLetter: async (id) => {
      asked.push(['retry', id]);
      return DEAD_LETTER;
    },
    dropDeadLetter: async (id) => {
      asked.push(['drop', id]);
      return DEAD_LETTER;
    },
    bundle: async () => ({ 'ledger.json': {} }),
    record: () => () => undefined,
    ...changes,
  };
  const url = await serve(t, adminServer({ view: view(), operations, clock: systemClock }));
  return { url, asked };
}

function send(url: string, method: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const json = { 'content-type': 'application/json', ...headers };
  return fetch(url, body === undefined ? { method, headers } : { method, headers: json, body: JSON.stringify(body) });
}

async function errorOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: string }).error;
}

const TEST_EVENT = { source: 'webhook', type: 'webhook-received', resourceName: 'api', message: 'hello' };

test('admin server: emit answers with what became of the event', async (t) => {
  const { url, asked } = await open(t);
  const event = { ...TEST_EVENT, namespace: 'default', metadata: { a: [1] }, tags: { b: 'c' } };
  const response = await send(`${url}/api/v1/emit`, 'POST', event);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), EVENT);
  assert.deepEqual(asked, [['emit', event]]);
});

test('admin server: a plugin is restarted by its name, and an unknown one is 404 with the names there are', async (t) => {
  const { url, asked } = await open(t);
  assert.equal((await send(`${url}/api/v1/plugins/webhook/restart`, 'POST')).status, 200);
  assert.deepEqual(asked, [['restart', 'webhook']]);
  const unknown = await send(`${url}/api/v1/plugins/webhok/restart`, 'POST');
  assert.equal(unknown.status, 404);
  assert.equal(await errorOf(unknown), "there is no plugin 'webhok', there are: webhook");
});

test('admin server: the log level is set for all or for one plugin', async (t) => {
  const { url, asked } = await open(t);
  assert.equal((await send(`${url}/api/v1/log-level`, 'PUT', { level: 'debug' })).status, 200);
  assert.equal((await send(`${url}/api/v1/log-level`, 'PUT', { level: 'warn', plugin: 'webhook' })).status, 200);
  assert.equal((await send(`${url}/api/v1/log-level`, 'PUT', { level: 'warn', plugin: 'other' })).status, 404);
  assert.deepEqual(asked, [
    ['level', 'debug', null],
    ['level', 'warn', 'webhook'],
  ]);
});

test('admin server: a dead letter is looked at, sent again and dropped by its id', async (t) => {
  const { url, asked } = await open(t);
  const letter = `${url}/api/v1/dead-letters/${DEAD_LETTER.id}`;
  assert.deepEqual(await (await send(`${url}/api/v1/dead-letters`, 'GET')).json(), {
    total: 1,
    deadLetters: [DEAD_LETTER],
  });
  assert.equal((await send(letter, 'GET')).status, 200);
  const retried = (await (await send(`${letter}/retry`, 'POST')).json()) as Record<string, unknown>;
  assert.deepEqual([retried.id, retried.retried], [DEAD_LETTER.id, true]);
  const dropped = (await (await send(letter, 'DELETE')).json()) as Record<string, unknown>;
  assert.deepEqual([dropped.id, dropped.dropped], [DEAD_LETTER.id, true]);
  assert.deepEqual(asked, [
    ['retry', DEAD_LETTER.id],
    ['drop', DEAD_LETTER.id],
  ]);
});

const STATUS_OF: readonly (readonly [HostErrorCode, number])[] = [
  ['HOST_ERR_DEAD_LETTER_UNKNOWN', 404],
  ['HOST_ERR_DEAD_LETTER_HELD', 409],
  ['HOST_ERR_OUTBOX_FULL', 503],
  ['HOST_ERR_OUTBOX', 503],
  ['HOST_ERR_STOPPING', 503],
];

for (const [code, status] of STATUS_OF) {
  test(`admin server: a dead letter that stays because of ${code} is ${status} with the code and the words`, async (t) => {
    const retryDeadLetter = async () => {
      throw new HostError(code, 'it stays');
    };
    const { url } = await open(t, { retryDeadLetter });
    const response = await send(`${url}/api/v1/dead-letters/x/retry`, 'POST');
    assert.equal(response.status, status);
    assert.deepEqual(await response.json(), { error: 'it stays', code });
  });
}

test('admin server: a page of another site cannot drop a dead letter', async (t) => {
  const { url, asked } = await open(t);
  const answer = await rawRequest(
    url,
    `DELETE /api/v1/dead-letters/x HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 403 /);
  assert.deepEqual(asked, []);
});

const BAD_BODIES: readonly (readonly [string, string, unknown, RegExp])[] = [
  ['POST', 'emit', {}, /'source' must be a string, it is missing; 'type' must be a string, it is missing/],
  ['POST', 'emit', { ...TEST_EVENT, resourceName: '' }, /'resourceName' cannot be empty/],
  ['POST', 'emit', { ...TEST_EVENT, source: 'A B' }, /'source' must be the name of a plugin .*got "A B"/],
  ['POST', 'emit', { ...TEST_EVENT, tags: { a: 1 } }, /'tags\.a' must be a string, got 1/],
  ['POST', 'emit', { ...TEST_EVENT, extra: 1 }, /the body has no key 'extra'/],
  ['POST', 'emit', [], /the body must be an object, got \[\]/],
  ['PUT', 'log-level', { level: 'loud' }, /'level' must be one of debug, info, warn, error, silent, got "loud"/],
  ['PUT', 'log-level', { level: 'info', plugin: 5 }, /'plugin' must be a string, got 5/],
];

for (const [method, path, body, words] of BAD_BODIES) {
  test(`admin server: ${method} ${path} with ${JSON.stringify(body)} is 400 in words`, async (t) => {
    const { url, asked } = await open(t);
    const response = await send(`${url}/api/v1/${path}`, method, body);
    assert.equal(response.status, 400);
    assert.match(await errorOf(response), words);
    assert.deepEqual(asked, []);
  });
}

test('admin server: a refusal of the host is told with its code', async (t) => {
  const emit = async () => {
    throw new HostError('HOST_ERR_STOPPING', 'khook is stopping; the event was not taken');
  };
  const { url } = await open(t, { emit });
  const response = await send(`${url}/api/v1/emit`, 'POST', TEST_EVENT);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), {
    error: 'khook is stopping; the event was not taken',
    code: 'HOST_ERR_STOPPING',
  });
});

/** As a browser sends it that was lured to the loopback port. */
const LURED: readonly (readonly [string, string])[] = [
  ['a name that was rebound to the loopback address', 'Host: evil.example:6060'],
  ['a name that begins like localhost', 'Host: localhost.evil.example'],
  ['a name that ends like localhost', 'Host: evil-localhost'],
  ['no host', 'Host:'],
  ['an address that is not loopback', 'Host: 10.0.0.1:6060'],
  ['a page of another origin', 'Host: localhost\r\nOrigin: http://evil.example'],
  ['a page of another local port', 'Host: localhost:6060\r\nOrigin: http://localhost:3000'],
  ['a page without origin', 'Host: localhost\r\nOrigin: null'],
  ['a link on another site', 'Host: localhost\r\nSec-Fetch-Site: cross-site'],
];

for (const [what, headers] of LURED) {
  test(`admin server: refuses ${what}`, async (t) => {
    const { url, asked } = await open(t);
    const answer = await rawRequest(
      url,
      `POST /api/v1/plugins/webhook/restart HTTP/1.1\r\n${headers}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 403 /);
    assert.deepEqual(asked, []);
  });
}

test('admin server: answers its own names, whatever port they were forwarded from', async (t) => {
  const { url, asked } = await open(t);
  for (const host of ['localhost', 'LOCALHOST:16060', '127.0.0.1:6060', '[::1]:6060']) {
    const answer = await rawRequest(
      url,
      `POST /api/v1/plugins/webhook/restart HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 /, host);
  }
  assert.equal(asked.length, 4);
});

test('admin server: a form of another site cannot send a body that is taken', async (t) => {
  const { url, asked } = await open(t);
  const body = JSON.stringify(TEST_EVENT);
  const response = await fetch(`${url}/api/v1/emit`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'text/plain' },
  });
  assert.equal(response.status, 415);
  assert.deepEqual(asked, []);
});

test('loopback guard: a peer from the network is refused even with the right headers', () => {
  const from = (remoteAddress: string) =>
    loopbackGuard({ socket: { remoteAddress }, headers: { host: 'localhost' } } as unknown as IncomingMessage);
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
    assert.equal(from(address), null, address);
  for (const address of ['10.0.0.5', '::ffff:10.0.0.5', 'fe80::1', '', '127.evil']) {
    assert.equal(from(address)?.status, 403, address);
  }
});

test('admin server: asks for profiles with their defaults, and hands them out as files', async (t) => {
  const { url, asked } = await open(t);
  const answer = await send(`${url}/debug/pprof/heap?plugin=webhook`, 'GET');
  assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), new Uint8Array([1, 2]));
  assert.match(answer.headers.get('content-disposition') ?? '', /filename="webhook\.heap\.pb\.gz"/);
  await send(`${url}/debug/pprof/profile?seconds=5`, 'GET');
  assert.deepEqual(asked, [
    ['profile', { kind: 'heap', plugin: 'webhook', ms: 10_000 }],
    ['profile', { kind: 'cpu', plugin: null, ms: 5_000 }],
  ]);
  assert.match(await (await send(`${url}/debug/pprof/`, 'GET')).text(), /\/debug\/pprof\/profile/);
});
