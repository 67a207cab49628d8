import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { HostError } from '../../../host/base/errors.ts';
import { json, text } from '../../../host/http/reply.ts';
import type { Route } from '../../../host/http/route.ts';
import { HttpServer, type HttpServerOptions } from '../../../host/http/server.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { rawRequest, serve } from './http-support.ts';

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/things/:id', answer: ({ params }) => json(params) },
  { method: 'POST', path: '/echo', readsBody: true, answer: ({ body }) => json({ body }) },
  { method: 'POST', path: '/press', answer: () => text('pressed') },
  {
    method: 'GET',
    path: '/bug',
    answer: () => {
      throw new Error('the secret is 42');
    },
  },
  {
    method: 'GET',
    path: '/stopping',
    answer: () => {
      throw new HostError('HOST_ERR_STOPPING', 'khook is stopping');
    },
  },
];

function server(options: Partial<HttpServerOptions> = {}): HttpServer {
  return new HttpServer({ name: 'test', portSetting: 'TEST_PORT', routes: ROUTES, clock: systemClock, ...options });
}

function post(url: string, body: string, type = 'application/json'): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'content-type': type } });
}

test('http server: a port that is taken is an error that names the port and the setting', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  await assert.rejects(server().start({ port, host: '127.0.0.1' }), (error: HostError) => {
    assert.equal(error.code, 'HOST_ERR_PORT');
    assert.match(error.message, new RegExp(`port ${port} on 127\\.0\\.0\\.1 for the test server is taken`));
    assert.match(error.message, /choose another with TEST_PORT/);
    return true;
  });
});

test('http server: an address that cannot be bound is the same coded error', async () => {
  await assert.rejects(server().start({ port: 0, host: '203.0.113.1' }), { code: 'HOST_ERR_PORT' });
});

test('http server: an unknown path is 404 with the list of routes', async (t) => {
  const url = await serve(t, server());
  const response = await fetch(`${url}/nowhere`);
  assert.equal(response.status, 404);
  const body = (await response.json()) as { error: string; routes: string[] };
  assert.equal(body.error, 'there is no /nowhere on the test port');
  assert.ok(body.routes.includes('GET /things/:id'));
});

test('http server: a wrong method is 405 and says which ones there are', async (t) => {
  const url = await serve(t, server());
  const response = await fetch(`${url}/things/1`, { method: 'DELETE' });
  assert.equal(response.status, 405);
  assert.equal(response.headers.get('allow'), 'GET, HEAD');
  assert.match(await response.text(), /does not take DELETE, only GET, HEAD/);
});

test('http server: HEAD has the headers of GET and no body', async (t) => {
  const url = await serve(t, server());
  const response = await fetch(`${url}/things/1`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-length'), String('{"id":"1"}\n'.length));
  assert.equal(await response.text(), '');
});

test('http server: every answer carries the security headers', async (t) => {
  const url = await serve(t, server());
  for (const path of ['/things/1', '/nowhere', '/bug']) {
    const { headers } = await fetch(url + path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/);
    assert.equal(headers.get('access-control-allow-origin'), null);
  }
});

test('http server: parts of a path are decoded, and what cannot be decoded is 404', async (t) => {
  const url = await serve(t, server());
  assert.deepEqual(await (await fetch(`${url}/things/a%2Fb`)).json(), { id: 'a/b' });
  assert.equal((await fetch(`${url}/things/%E0%A4%A`)).status, 404);
});

test('http server: a bug is a 500 without its text, told to onError', async (t) => {
  const errors: string[] = [];
  const url = await serve(t, server({ onError: (error, request) => errors.push(`${request}: ${error}`) }));
  const response = await fetch(`${url}/bug`);
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
  assert.deepEqual(errors, ['GET /bug: Error: the secret is 42']);
  assert.equal((await fetch(`${url}/stopping`)).status, 503);
  assert.equal(errors.length, 1, 'a coded refusal is not a bug');
});

test('http server: what is not HTTP is 400 and the server lives on', async (t) => {
  const url = await serve(t, server());
  assert.match(await rawRequest(url, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await rawRequest(url, 'GET //[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 40\d /);
  assert.equal((await fetch(`${url}/things/1`)).status, 200);
});

test('http body: JSON is parsed, anything else is refused in words', async (t) => {
  const url = await serve(t, server());
  assert.deepEqual(await (await post(`${url}/echo`, '{"a":1}')).json(), { body: { a: 1 } });
  assert.equal((await post(`${url}/echo`, '{')).status, 400);
  assert.equal((await post(`${url}/echo`, '{}', 'text/plain')).status, 415);
  assert.equal((await post(`${url}/echo`, '{}', 'application/jsonx')).status, 415);
  assert.equal((await post(`${url}/echo`, '{}', 'application/json; charset=utf-8')).status, 200);
});

test('http body: 64 KiB is read, one byte more is 413', async (t) => {
  const url = await serve(t, server());
  const fits = JSON.stringify('x'.repeat(64 * 1024 - 2));
  assert.equal((await post(`${url}/echo`, fits)).status, 200);
  assert.equal((await post(`${url}/echo`, `${fits} `)).status, 413);
});

const MEGABYTE = Buffer.alloc(1024 * 1024, 'x');

/** Posts `megabytes` piece by piece, without saying how much it will be when `isChunked`. */
function postLarge(url: string, megabytes: number, isChunked: boolean): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | number> = { 'content-type': 'application/json' };
    if (!isChunked) headers['content-length'] = megabytes * MEGABYTE.length;
    const request = httpRequest(url, { method: 'POST', headers }, async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode ?? 0, body });
    });
    request.on('error', reject);
    for (let i = 0; i < megabytes; i += 1) request.write(MEGABYTE);
    request.end();
  });
}

for (const isChunked of [false, true]) {
  test(`http body: 10 MB ${isChunked ? 'in chunks' : 'announced'} are refused, and the client gets to read why`, async (t) => {
    const url = await serve(t, server());
    const { status, body } = await postLarge(`${url}/echo`, 10, isChunked);
    assert.equal(status, 413);
    assert.match(body, /larger than 64 KiB/);
    assert.equal((await post(`${url}/echo`, '1')).status, 200);
  });
}

test('http body: a client that reads only after it has sent 10 MB still finds the refusal', async (t) => {
  const url = await serve(t, server());
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  const failed = once(socket, 'error');
  socket.write(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${10 * MEGABYTE.length}\r\n\r\n`);
  for (let i = 0; i < 9; i += 1) socket.write(MEGABYTE);
  const sent = new Promise((resolve) => socket.write(MEGABYTE, resolve));
  assert.equal((await Promise.race([sent, failed.then(([error]) => error)])) ?? null, null);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  assert.match(chunk.toString(), /^HTTP\/1\.1 413 /);
});

test('http body: a large body is refused as soon as it is known to be large, not when it is complete', async (t) => {
  const url = await serve(t, server());
  const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const announced = `${head}Content-Length: ${10 * 1024 * 1024}\r\n\r\n`;
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n11170\r\n${'x'.repeat(70_000)}\r\n`;
  for (const text of [announced, chunked]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(text);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 413 /);
  }
});

test('http body: a client that asks before it sends 100 MB is refused before it sends', async (t) => {
  const url = await serve(t, server());
  const head = `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${100 * 1024 * 1024}\r\nExpect: 100-continue\r\n\r\n`;
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(head);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  assert.match(chunk.toString(), /^HTTP\/1\.1 413 /);
});

test('http body: a route that reads none does not keep one either', async (t) => {
  const url = await serve(t, server());
  const { status } = await postLarge(`${url}/press`, 2, false);
  assert.equal(status, 200);
});

test('http server: stopping closes idle connections at once', async () => {
  const own = server({ clock: new FakeClock() });
  const port = await own.start({ port: 0, host: '127.0.0.1' });
  const agent = new Agent({ keepAlive: true });
  get({ port, host: '127.0.0.1', path: '/things/1', agent }, (response) => response.resume());
  await eventually(() => Object.keys(agent.freeSockets).length === 1);
  await own.stop();
  agent.destroy();
});

test('http server: a request that never ends is cut off after the grace period', async () => {
  const clock = new FakeClock();
  let entered = false;
  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: '/forever',
      answer: () => {
        entered = true;
        return new Promise(() => {});
      },
    },
  ];
  const own = server({ clock, routes, graceMs: 500 });
  const port = await own.start({ port: 0, host: '127.0.0.1' });
  const hanging = fetch(`http://127.0.0.1:${port}/forever`).then(
    () => 'answered',
    () => 'cut off',
  );
  await eventually(() => entered);
  let isStopped = false;
  const stopped = own.stop().then(() => {
    isStopped = true;
  });
  await settle();
  assert.equal(isStopped, false, 'it has the grace period');
  await clock.advance(500);
  await stopped;
  assert.equal(await hanging, 'cut off');
  assert.equal(clock.pending, 0);
});

test('http server: stopping one that never started is nothing', async () => {
  await server().stop();
});
