/** Ways to descriptors past the calls that open files and connections: together they could take those of the host. */

import { type Body, group } from '../body.ts';

export const ESCAPE_DESCRIPTORS: readonly Body[] = group(
  'escape',
  ['denied'],
  [
    [
      'exhaust-folders',
      'opens its own folder thousands of times at once',
      async (w) => {
        const fs = await import('node:fs');
        const folder = new URL('.', import.meta.url);
        const kept: unknown[] = [];
        await w.attempt('more than 128 folders at once', async () => {
          for (let n = 0; n < 5_000; n += 1) fs.opendir(folder, (error, opened) => error ?? kept.push(opened));
          await w.sleep(800);
          return kept.length > 128 && `${kept.length} open`;
        });
      },
    ],
    [
      'exhaust-datagrams',
      'lets the system bind thousands of datagram sockets that it never bound itself',
      async (w) => {
        const dgram = await import('node:dgram');
        const handles: Record<string, unknown>[] = [];
        await w.attempt('more than 64 sockets at once', () => {
          for (let n = 0; n < 2_000; n += 1) {
            const socket = dgram.createSocket('udp4').on('error', () => undefined);
            const state = Object.getOwnPropertySymbols(socket).find(
              ({ description }) => description === 'state symbol',
            );
            const handle = w.get(w.get(socket, state ?? ''), 'handle') as Record<string, unknown>;
            w.call(handle, n % 2 === 0 ? 'recvStart' : 'addMembership', '224.0.0.114', '127.0.0.1');
            handles.push(handle);
          }
          const open = handles.filter(({ fd }) => Number(fd) >= 0).length;
          return open > 64 && `${open} open`;
        });
      },
      { permissions: ({ echoPort }) => ({ net: { connect: [`127.0.0.1:${echoPort}`] } }), limits: { sockets: 64 } },
    ],
    [
      'exhaust-bound',
      'binds thousands of connections that wait for a look-up',
      async (w) => {
        const net = await import('node:net');
        const handles: unknown[] = [];
        await w.attempt('more than 64 sockets at once', () => {
          for (let n = 0; n < 2_000; n += 1) {
            const socket = net.connect({ host: 'somewhere', port: 9, lookup: () => undefined });
            const handle = w.get(
              socket.on('error', () => undefined),
              '_handle',
            );
            w.call(handle, 'bind', '127.0.0.1', 0);
            handles.push(handle);
          }
          const open = handles.filter((handle) => Number(w.get(handle, 'fd')) >= 0).length;
          return open > 64 && `${open} open`;
        });
      },
      { permissions: ({ echoPort }) => ({ net: { connect: [`127.0.0.1:${echoPort}`] } }), limits: { sockets: 64 } },
    ],
    [
      'join-groups',
      'joins multicast groups and receives, without a grant for the network',
      async (w) => {
        const dgram = await import('node:dgram');
        await w.attempt('addMembership', () => {
          const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true }).on('error', () => undefined);
          socket.addMembership('224.0.0.251', '127.0.0.1');
          return 'joined';
        });
        await w.attempt('addSourceSpecificMembership', () => {
          const socket = dgram.createSocket('udp4').on('error', () => undefined);
          socket.addSourceSpecificMembership('127.0.0.1', '232.0.0.1', '127.0.0.1');
          return 'joined';
        });
      },
    ],
  ],
);
