/**
 * A port for a server that comes back on it: from below the range that outgoing connections take theirs from, and from a block that depends on
 * the process, so that two that look for one in the same moment do not find the same.
 */

import { createServer } from 'node:net';

const FIRST = 20_000;
const BLOCKS = 1_000;
const BLOCK = 10;
const TRIES = 500;

let taken = 0;

export async function stablePort(): Promise<number> {
  const start = (process.pid % BLOCKS) * BLOCK;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = FIRST + ((start + taken) % (BLOCKS * BLOCK));
    taken += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${FIRST} and ${FIRST + BLOCKS * BLOCK}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
