import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { NetworkPolicy } from '../../../../ipc/control.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { type Attempted, attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: network', () => {
  it('a plain worker with --allow-net reaches every loopback port and unix socket', async (t) => {
    const { attempted, datagrams } = await run(t, false);
    const plain = results(attempted);
    assert.deepEqual(plain, {
      ...plain,
      'another port': 'connected',
      'another port by an invented answer': 'connected',
      'fetch of another port': 'hello',
      'a raw handle to another port': 'a constructor',
      'a unix socket': 'connected',
      'listening on a unix socket': 'listened',
      'listening on an abstract name': 'listened',
      'listening on any port': 'listened',
      'a datagram': 'sent',
      'another name server': 'set',
      'more sockets than granted': 12,
      'more accepted than granted': 4,
    });
    assert.equal(datagrams, 2);
  });

  it('holds to the lists, whatever the address looks like and whoever looked it up', async (t) => {
    const { attempted, datagrams, granted } = await run(t, true);
    const guarded = results(attempted);
    const { 'more sockets than granted': sockets, 'more accepted than granted': accepted, ...others } = guarded;
    assert.ok(typeof sockets === 'number' && sockets <= 8, `${sockets} sockets`);
    assert.ok(typeof accepted === 'number' && accepted < 4, `${accepted} accepted`);
    assert.deepEqual(others, {
      'a granted port': 'connected',
      'a granted port in IPv6 clothes': 'connected',
      'a granted port by its name': 'connected',
      'fetch of a granted port': 'hello',
      'another port': 'EACCES',
      'another port in IPv6 clothes': 'EACCES',
      'another port by the unspecified address': 'EACCES',
      'another port by its name': 'EACCES',
      'another port by an invented answer': 'EACCES',
      'fetch of another port': 'EACCES',
      'http of another port': 'EACCES',
      'a raw handle to another port': 'none',
      'a unix socket': 'EACCES',
      'listening on a unix socket': 'EACCES',
      'listening on an abstract name': 'EACCES',
      'listening on a granted port': 'listened',
      'listening on any port': 'EACCES',
      'a datagram': 'EACCES',
      'a datagram by a connection': 'EACCES',
      'another name': 'EACCES',
      'another name with a callback': 'EACCES',
      'many look-ups at once': 20,
      'many resolvers': 64,
      'another name server': REFUSED,
      'poisoned prototypes': 'EACCES',
      'sockets again after they were closed': 'connected',
    });
    assert.equal(datagrams, 0);
    assert.ok(
      attempted.logs.some((line) => /refused a connection to 127\.0\.0\.1 port \d+: .*connect: \['127/.test(line)),
    );
    assert.ok(!attempted.logs.some((line) => line.includes(`port ${granted}:`)));
  });

  it('a granted name opens the addresses it resolved to, on its ports only', async (t) => {
    const byName = await run(t, true, ({ granted, listen }) => ({
      connect: [`localhost:${granted}`],
      listen: [listen],
    }));
    const guarded = results(byName.attempted);
    // The address was not seen yet, so the name comes first.
    assert.equal(guarded['a granted port'], 'EACCES');
    assert.equal(guarded['a granted port by its name'], 'connected');
    assert.equal(guarded['fetch of a granted port'], 'hello');
    assert.equal(guarded['another port by its name'], 'EACCES');
    assert.equal(guarded['many look-ups at once'], 20);
    assert.equal(guarded['many resolvers'], 64);
  });

  it('any means anywhere but the machine itself', async (t) => {
    const { attempted } = await run(t, true, () => ({ any: true }));
    const guarded = results(attempted);
    for (const name of ['a granted port', 'another port in IPv6 clothes', 'another port by the unspecified address']) {
      assert.equal(guarded[name], 'EACCES', name);
    }
  });

  it('is closed where nothing was granted', async (t) => {
    const { attempted } = await run(t, true, () => ({}), false);
    const got = Object.entries(attempted.outcomes).filter(
      ([name, outcome]) => 'got' in outcome && !['a raw handle to another port', 'another name server'].includes(name),
    );
    assert.deepEqual(
      got.filter(([, outcome]) => 'got' in outcome && outcome.got !== 0).map(([name]) => name),
      [],
    );
  });
});

interface Servers {
  readonly granted: number;
  readonly other: number;
  readonly listen: number;
}

async function run(
  t: TestContext,
  isGuarded: boolean,
  policy: (servers: Servers) => Partial<NetworkPolicy> = ({ granted, listen }) => ({
    connect: [`127.0.0.1:${granted}`, `localhost:${granted}`, `127.0.0.1:${listen}`],
    listen: [listen],
  }),
  hasNet = true,
): Promise<{ attempted: Attempted; datagrams: number; granted: number }> {
  const directory = tempDir(t);
  const socketPath = join(directory, 's.sock');
  const serve = async (where: number | string): Promise<number> => {
    const server = http.createServer((_request, response) => response.end('hello'));
    if (typeof where === 'number') server.listen(where, '127.0.0.1');
    else server.listen(where);
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const granted = await serve(0);
  const other = await serve(0);
  await serve(socketPath);
  const udp = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(udp, 'listening');
  t.after(() => udp.close());
  let datagrams = 0;
  udp.on('message', () => {
    datagrams += 1;
  });
  const listen = await freePort();
  const attempted = await attempt(t, 'network', {
    isGuarded,
    facts: { granted, other, listen, socketPath, datagrams: udp.address().port },
    hasNet,
    read: [`${directory}/`],
    network: policy({ granted, other, listen }),
    budget: { sockets: 8 },
  });
  return { attempted, datagrams, granted };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
