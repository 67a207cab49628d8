import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { tempDir } from '../../../support/temp-dir.ts';
import { attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: somebody who has read it', () => {
  it('gets no further by replacing prototypes and globals', async (t) => {
    assert.deepEqual(await run(t, false), {
      'a setter on Object.prototype': 'planted',
      'a setter above the native handles': 'planted',
      'an answer that is called by another': 'connected',
      'an answer with a then': 'ECONNREFUSED',
      'a first door with replaced globals': 'set',
      'a poisoned Function.prototype': 'set 0',
      'Crypto before its door': 1,
      'an answer of http2 with a descriptor': 'host secret',
      'a data: module': 'object',
      'a handle that is moved': 'object',
      'a door whose guard is made to fail': 'sent',
      'a listener taken off': 'taken off',
      'streams go on': 'ab',
    });
    assert.deepEqual(await run(t, true), {
      'a setter on Object.prototype': 'no code',
      'a setter above the native handles': 'no code',
      'an answer that is called by another': 'EACCES',
      'an answer with a then': 'EACCES',
      'a first door with replaced globals': REFUSED,
      'a poisoned Function.prototype': REFUSED,
      'Crypto before its door': REFUSED,
      'an answer of http2 with a descriptor': REFUSED,
      'a data: module': REFUSED,
      'a handle that is moved': REFUSED,
      'a door whose guard is made to fail': REFUSED,
      'a listener taken off': 'taken off',
      'streams go on': 'ab',
    });
  });
});

async function run(t: TestContext, isGuarded: boolean): Promise<Record<string, unknown>> {
  const serve = async (): Promise<number> => {
    const server = http.createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const secret = join(tempDir(t), 'secret.txt');
  writeFileSync(secret, 'host secret');
  const fd = openSync(secret, 'r');
  t.after(() => closeSync(fd));
  const facts = { fd, granted: await serve(), other: await serve() };
  const network = { connect: [`127.0.0.1:${facts.granted}`, `localhost:${facts.granted}`] };
  return results(await attempt(t, 'attacker', { isGuarded, facts, hasNet: true, network }));
}
