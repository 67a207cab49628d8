/** What the bodies meet outside their sandbox: servers that must not be reached, files that must not be read. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Place } from './body.ts';

export type Surroundings = Omit<Place, 'metricsPort' | 'adminPort'>;

export async function openSurroundings(t: Pick<TestContext, 'after'>): Promise<Surroundings> {
  const directory = tempDir(t);
  const secret = join(directory, 'secret');
  writeFileSync(secret, 'nobody was granted this\n');
  const folder = join(directory, 'folder');
  mkdirSync(folder);
  mkdirSync(`${folder}-beside`);
  writeFileSync(join(folder, 'file'), 'granted\n');
  const trap = join(directory, 'trap');
  mkdirSync(trap);
  symlinkSync(secret, join(trap, 'link'));
  symlinkSync('/etc', join(trap, 'folder'));
  execFileSync('mkfifo', [join(trap, 'fifo')]);
  const unixSocket = join(directory, 'socket');
  await listen(t, unixSocket);
  const echo = await listen(t, 0);
  return {
    echoPort: (echo.address() as { port: number }).port,
    freePort: await freePort(),
    unixSocket,
    secret,
    folder,
    trap,
  };
}

/** Accepts, and says nothing. */
async function listen(t: Pick<TestContext, 'after'>, where: string | number): Promise<Server> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    socket.resume();
  });
  t.after(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((done) => server.close(done));
  });
  await new Promise<void>((done) => {
    if (typeof where === 'number') server.listen(where, '127.0.0.1', done);
    else server.listen(where, done);
  });
  return server;
}
