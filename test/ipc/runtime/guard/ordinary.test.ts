import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { OrdinaryFacts } from '../../../fixtures/guard/ordinary.ts';
import { makeCertificates } from '../../../support/certificates.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { type Attempted, attempt, results } from './attempts.ts';

describe('guard: an ordinary plugin', () => {
  it('notices nothing', { timeout: 60_000 }, async (t) => {
    const plain = await run(t, false);
    const guarded = await run(t, true);
    assert.deepEqual(guarded.errors, []);
    const refused = Object.values(plain.outcomes).filter((outcome) => !('got' in outcome));
    assert.deepEqual(refused, [], 'a fixture that fails without the guard shows nothing');
    assert.deepEqual(results(guarded), results(plain));
    assert.deepEqual(
      guarded.logs.filter((line) => line.includes('refused')),
      [],
    );
  });
});

/** Each run has servers and a folder of its own. */
async function run(t: TestContext, isGuarded: boolean): Promise<Attempted> {
  const { ca, server: pair } = makeCertificates(t);
  const directory = tempDir(t);
  const web = await serve(t, webServer());
  const secure = await serve(t, https.createServer(pair, echo));
  const listen = await freePort();
  const facts: OrdinaryFacts = { directory, web, listen, secure, ca, ...pair };
  return await attempt(t, 'ordinary', {
    isGuarded,
    facts,
    hasNet: true,
    read: [`${directory}/`],
    write: [`${directory}/`],
    network: {
      listen: [listen],
      connect: [`127.0.0.1:${web}`, `localhost:${web}`, `127.0.0.1:${secure}`, `127.0.0.1:${listen}`],
    },
  });
}

const echo: RequestListener = (request, response) => {
  request.resume().on('end', () => response.end(`answer to ${request.method}`));
};

/** Says one word to every WebSocket. */
function webServer(): Server {
  const server = http.createServer(echo);
  server.on('upgrade', (request, socket) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.on('error', () => undefined);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(Buffer.from([0x81, 4, ...Buffer.from('word')]));
    socket.on('data', () => socket.end());
  });
  return server;
}

async function serve(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    (server as Partial<http.Server>).closeAllConnections?.();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
