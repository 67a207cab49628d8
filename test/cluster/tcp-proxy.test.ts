import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** How long nothing may come for a silence to count as one. */
const SILENCE_MS = 150;

interface Line {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
}

/** A proxy before a server that says everything back. */
async function echoProxy(t: TestContext): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await TcpProxy.start((server.address() as { port: number }).port);
  t.after(async () => {
    await proxy.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return proxy;
}

function open(t: TestContext, proxy: TcpProxy): Line {
  const socket = connect(proxy.port, '127.0.0.1');
  let text = '';
  let isClosed = false;
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
  });
  t.after(() => socket.destroy());
  return { socket, received: () => text, isClosed: () => isClosed };
}

async function staysSilent(line: Line, expected: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
  assert.equal(line.received(), expected);
  assert.equal(line.isClosed(), false);
}

describe('tcp proxy', () => {
  it('passes bytes on, in order, also while its delay changes', async (t) => {
    const proxy = await echoProxy(t);
    const line = open(t, proxy);
    const words = Array.from({ length: 40 }, (_, n) => `${n} `);
    for (const [n, word] of words.entries()) {
      proxy.delay(n % 2 === 0 ? 20 : 0);
      line.socket.write(word);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => line.received() === words.join(''));
  });

  it('passes more than fits into a buffer', async (t) => {
    const proxy = await echoProxy(t);
    const line = open(t, proxy);
    line.socket.write('x'.repeat(8_000_000));
    await eventually(() => line.received().length === 8_000_000);
  });

  it('cuts what is open and lets new connections pass', async (t) => {
    const proxy = await echoProxy(t);
    for (const abruptly of [false, true]) {
      const line = open(t, proxy);
      line.socket.write('a');
      await eventually(() => line.received() === 'a');
      proxy.cut(abruptly);
      await eventually(() => line.isClosed());
    }
    const next = open(t, proxy);
    next.socket.write('b');
    await eventually(() => next.received() === 'b');
    assert.equal(proxy.accepted, 3);
    assert.equal(proxy.open, 1);
  });

  it('leaves abandoned connections open and silent for good, and lets new ones pass', async (t) => {
    const proxy = await echoProxy(t);
    const line = open(t, proxy);
    line.socket.write('a');
    await eventually(() => line.received() === 'a');
    proxy.abandon();
    line.socket.write('b');
    await staysSilent(line, 'a');
    proxy.heal();
    await staysSilent(line, 'a');
    const next = open(t, proxy);
    next.socket.write('c');
    await eventually(() => next.received() === 'c');
  });

  it('is silent to old and new connections while partitioned, and goes on where it was when healed', async (t) => {
    const proxy = await echoProxy(t);
    const old = open(t, proxy);
    old.socket.write('a');
    await eventually(() => old.received() === 'a');
    proxy.partition();
    const fresh = open(t, proxy);
    old.socket.write('b');
    fresh.socket.write('c');
    await staysSilent(old, 'a');
    await staysSilent(fresh, '');
    proxy.heal();
    await eventually(() => old.received() === 'ab');
    await eventually(() => fresh.received() === 'c');
  });

  it('resets everything while it refuses', async (t) => {
    const proxy = await echoProxy(t);
    const old = open(t, proxy);
    old.socket.write('a');
    await eventually(() => old.received() === 'a');
    proxy.refuse();
    const fresh = open(t, proxy);
    await eventually(() => old.isClosed() && fresh.isClosed());
    proxy.heal();
    const next = open(t, proxy);
    next.socket.write('b');
    await eventually(() => next.received() === 'b');
  });
});
