import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { Route } from '../../../host/http/route.ts';
import { HttpServer } from '../../../host/http/server.ts';
import type { StreamSink } from '../../../host/http/stream.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { serve } from './http-support.ts';

const MEGABYTE = JSON.stringify('x'.repeat(1024 * 1024));

interface Heard {
  readonly sink: StreamSink;
  isStopped: boolean;
}

/** A server with one stream, and everybody who listens to it. */
async function open(
  t: TestContext,
): Promise<{ url: string; clock: FakeClock; server: HttpServer; listeners: Heard[] }> {
  const clock = new FakeClock();
  const listeners: Heard[] = [];
  const route: Route = {
    method: 'GET',
    path: '/stream',
    answer: () => ({
      stream: (sink) => {
        const heard: Heard = { sink, isStopped: false };
        listeners.push(heard);
        return () => {
          heard.isStopped = true;
        };
      },
    }),
  };
  const server = new HttpServer({ name: 'test', portSetting: 'TEST_PORT', routes: [route], clock });
  const url = await serve(t, server);
  return { url, clock, server, listeners };
}

/** A client that asks and reads nothing until it is told to. */
async function deafClient(
  t: TestContext,
  url: string,
  listeners: readonly Heard[],
): Promise<{ socket: Socket; heard: Heard }> {
  const before = listeners.length;
  const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
  const heard = await eventually(() => listeners[before]);
  return { socket, heard };
}

async function read(response: Response, until: RegExp): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (until.test(text)) break;
  }
  return text;
}

/** Says so much that neither the system nor the bound takes all of it, and then a little more. Returns how many messages. */
async function overwhelm({ sink }: Heard): Promise<number> {
  for (let count = 1; ; count += 1) {
    sink.push({ kind: 'event', data: MEGABYTE });
    await settle();
    if ((await Promise.race([sink.ready(), 'waits'])) !== 'waits') continue;
    for (let more = 0; more < 10; more += 1) sink.push({ kind: 'event', data: MEGABYTE });
    return count + 10;
  }
}

describe('event stream', () => {
  it('tells each message by its name, at once, and says that it is no ordinary answer', async (t) => {
    const { url, listeners } = await open(t);
    const response = await fetch(`${url}/stream`);
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const [heard] = listeners;
    heard?.sink.push({ kind: 'event', data: '{"a":1}' });
    heard?.sink.push({ kind: 'plugin', data: '{"b":2}' });
    assert.equal(await read(response, /b/), 'event: event\ndata: {"a":1}\n\nevent: plugin\ndata: {"b":2}\n\n');
  });

  it('answers HEAD with headers alone, and nobody is spoken to', async (t) => {
    const { url, listeners } = await open(t);
    const response = await fetch(`${url}/stream`, { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '');
    assert.equal(listeners.length, 0);
  });

  it('keeps a bounded amount for a client that reads slowly, and tells how much it missed once it reads again', async (t) => {
    const { url, listeners } = await open(t);
    const { socket, heard } = await deafClient(t, url, listeners);
    const before = process.memoryUsage().rss;
    const said = await overwhelm(heard);
    assert.ok(process.memoryUsage().rss - before < 40 * 1024 * 1024);
    heard.sink.miss(3);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(-2_000_000);
    });
    socket.resume();
    const missed = await eventually(() => /event: missed\ndata: \{"kind":"missed","count":(\d+)\}/.exec(text)?.[1]);
    assert.equal(await heard.sink.ready(), true);
    heard.sink.push({ kind: 'event', data: '"last"' });
    await eventually(() => text.includes('"last"'));
    assert.ok(Number(missed) >= 13 && Number(missed) < said + 3, `${missed} missed of ${said}`);
  });

  it('lets a client go that reads nothing, and only then', async (t) => {
    const { url, clock, listeners } = await open(t);
    const { socket, heard } = await deafClient(t, url, listeners);
    await overwhelm(heard);
    await clock.advance(29_000);
    assert.equal(heard.isStopped, false);
    await clock.advance(1_000);
    await eventually(() => heard.isStopped);
    assert.equal(await heard.sink.ready(), false);
    heard.sink.push({ kind: 'event', data: '1' });
    heard.sink.end();
    socket.destroy();
    assert.equal(clock.pending, 0);
  });

  it('stops who speaks when its client is gone', async (t) => {
    const { url, clock, listeners } = await open(t);
    const { socket, heard } = await deafClient(t, url, listeners);
    socket.destroy();
    await eventually(() => heard.isStopped);
    assert.equal(clock.pending, 0);
  });

  it('keeps a silent connection open by a comment now and then', async (t) => {
    const { url, clock } = await open(t);
    const response = await fetch(`${url}/stream`);
    await clock.advance(15_000);
    assert.equal(await read(response, /\n\n/), ':\n\n');
  });

  it('has room for sixteen clients and refuses the next', async (t) => {
    const { url, listeners } = await open(t);
    const clients = await Promise.all(Array.from({ length: 16 }, () => deafClient(t, url, listeners)));
    const refused = await fetch(`${url}/stream`);
    assert.equal(refused.status, 503);
    assert.match(await refused.text(), /16 clients listen already/);
    clients[0]?.socket.destroy();
    await eventually(async () => {
      const response = await fetch(`${url}/stream`);
      await response.body?.cancel();
      return response.status === 200;
    });
  });

  it('ends with its server, without waiting out the grace period', async (t) => {
    const { url, server, clock, listeners } = await open(t);
    const { socket, heard } = await deafClient(t, url, listeners);
    socket.resume();
    const ended = once(socket, 'end');
    await server.stop();
    await ended;
    assert.equal(heard.isStopped, true);
    assert.equal(clock.pending, 0);
  });
});
