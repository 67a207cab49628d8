/** Ways to reach, over the network, what was not granted. */

import { type Body, group } from '../body.ts';

export const ESCAPE_NETWORK: readonly Body[] = group(
  'escape',
  ['denied'],
  [
    [
      'network-at-all',
      'uses the network without having asked for it',
      async (w) => {
        const net = await import('node:net');
        const dgram = await import('node:dgram');
        const dns = await import('node:dns/promises');
        const port = w.number('echoPort');
        await w.attempt('connect', () => {
          return new Promise((resolve, reject) =>
            net.connect(port, '127.0.0.1', () => resolve('connected')).on('error', reject),
          );
        });
        await w.attempt('listen', () => {
          return new Promise((resolve, reject) => {
            const server = net.createServer().on('error', reject);
            server.listen(0, '127.0.0.1', () => resolve('listening'));
          });
        });
        await w.attempt('fetch', () => fetch(`http://127.0.0.1:${w.number('metricsPort')}/metrics`));
        await w.attempt('WebSocket', () => {
          return new Promise((resolve, reject) => {
            const socket = new WebSocket(`ws://127.0.0.1:${port}`);
            socket.onopen = resolve;
            socket.onerror = reject;
          });
        });
        await w.attempt('UDP', () => {
          return new Promise((resolve, reject) => {
            const socket = dgram.createSocket('udp4').on('error', reject);
            socket.send('x', port, '127.0.0.1', (error) => (error ? reject(error) : resolve('sent')));
          });
        });
        await w.attempt('look-up', () => dns.lookup('localhost'));
      },
      // Node throws past whoever listens, so that the run ends.
      { expect: ['denied', 'recycled:crash'], quick: true },
    ],
    [
      'loopback',
      'connects to loopback though it may go anywhere else only',
      async (w) => {
        const net = await import('node:net');
        const http = await import('node:http');
        const port = w.number('metricsPort');
        const hosts = [
          '127.0.0.1',
          '127.1',
          '0.0.0.0',
          'localhost',
          '::1',
          '::ffff:127.0.0.1',
          '2130706433',
          '127.255.255.254',
          '::',
          '0',
        ];
        for (const host of hosts) {
          await w.attempt(`connect ${host}`, () => {
            return new Promise((resolve, reject) =>
              net.connect({ host, port }, () => resolve('connected')).on('error', reject),
            );
          });
        }
        await w.attempt('fetch metrics', () => fetch(`http://127.0.0.1:${port}/metrics`));
        await w.attempt('admin', () =>
          fetch(`http://localhost:${w.number('adminPort')}/api/v1/log-level`, { method: 'PUT' }),
        );
        await w.attempt('http with a look-up of its own', () => {
          return new Promise((resolve, reject) => {
            const lookup = (
              _name: string,
              _options: unknown,
              done: (error: null, found: unknown, family?: number) => void,
            ): void => done(null, [{ address: '127.0.0.1', family: 4 }]);
            http.get({ host: 'example.org', port, lookup } as never, resolve).on('error', reject);
          });
        });
      },
      { permissions: () => ({ net: true }), quick: true },
    ],
    [
      'metadata-address',
      'asks the metadata service of a cloud',
      async (w) => {
        const net = await import('node:net');
        for (const host of ['169.254.169.254', 'fd00:ec2::254', 'fe80::1', '::ffff:169.254.169.254']) {
          await w.attempt(host, () => {
            return new Promise((resolve, reject) => {
              const socket = net.connect({ host, port: 80 }, () => resolve('connected'));
              // An answer from beyond the filter, whatever it says, shows that the packet went out.
              socket.on('error', (error: NodeJS.ErrnoException) => {
                if (/EACCES|ERR_|EPERM/.test(error.code ?? 'ERR_')) reject(error);
                else resolve(`let through: ${error.code}`);
              });
              setTimeout(() => resolve('let through: no answer'), 1_000);
            });
          });
        }
      },
      { permissions: () => ({ net: true }) },
    ],
    [
      'other-target',
      'connects to a port that is not on its list',
      async (w) => {
        const net = await import('node:net');
        await w.attempt('another port', () => {
          return new Promise((resolve, reject) => {
            net.connect(w.number('metricsPort'), '127.0.0.1', () => resolve('connected')).on('error', reject);
          });
        });
      },
      { permissions: ({ echoPort }) => ({ net: { connect: [`127.0.0.1:${echoPort}`] } }) },
    ],
    [
      'unix-sockets',
      'uses unix sockets',
      async (w) => {
        const net = await import('node:net');
        await w.attempt('connect', () => {
          return new Promise((resolve, reject) =>
            net.connect(w.text('unixSocket'), () => resolve('connected')).on('error', reject),
          );
        });
        for (const path of ['/tmp/khook-corpus.sock', '\0khook-corpus']) {
          await w.attempt(`listen on ${path.replace('\0', '@')}`, () => {
            return new Promise((resolve, reject) => {
              const server = net.createServer().on('error', reject);
              server.listen(path, () => resolve('listening'));
            });
          });
        }
      },
      { permissions: () => ({ net: true }) },
    ],
    [
      'other-listener',
      'listens where it may not',
      async (w) => {
        const net = await import('node:net');
        const listen = (name: string, options: object): Promise<void> =>
          w.attempt(name, () => {
            return new Promise((resolve, reject) => {
              const server = net.createServer().on('error', reject);
              server.listen(options, () => resolve('listening'));
            });
          });
        await listen('any port', { port: 0 });
        await listen("the host's port beside it", {
          port: w.number('metricsPort'),
          host: '127.0.0.1',
          reusePort: true,
        });
      },
      { permissions: ({ freePort }) => ({ net: { listen: [freePort] } }) },
    ],
    [
      'datagrams',
      'sends UDP to loopback',
      async (w) => {
        const dgram = await import('node:dgram');
        await w.attempt('send', () => {
          return new Promise((resolve, reject) => {
            const socket = dgram.createSocket('udp4').on('error', reject);
            socket.send('x', w.number('echoPort'), '127.0.0.1', (error) => (error ? reject(error) : resolve('sent')));
          });
        });
        await w.attempt('connect', () => {
          return new Promise((resolve, reject) => {
            const socket = dgram.createSocket('udp4').on('error', reject);
            // Also called with what went wrong.
            socket.connect(w.number('echoPort'), '127.0.0.1', (...[error]: unknown[]) => {
              if (error === undefined) resolve('connected');
              else reject(error);
            });
          });
        });
      },
      { permissions: () => ({ net: true }) },
    ],
    [
      'handle-open',
      'opens a descriptor of the host as a socket',
      async (w) => {
        const net = await import('node:net');
        await w.attempt('TCP.open', () => {
          const server = net.createServer().on('error', () => undefined);
          server.listen(w.number('freePort'), '127.0.0.1');
          const handle = w.get(server, '_handle') as { constructor: new (type: number) => unknown } | null;
          server.close();
          if (handle === null) return null;
          return w.call(new handle.constructor(0), 'open', 1) === 0;
        });
      },
      { permissions: ({ freePort }) => ({ net: { listen: [freePort] } }) },
    ],
    [
      'exhaust-sockets',
      'opens sockets until there are none left',
      async (w) => {
        const net = await import('node:net');
        let open = 0;
        await w.attempt('more than 64 sockets at once', async () => {
          for (let n = 0; n < 400; n += 1) {
            net
              .connect(w.number('echoPort'), '127.0.0.1', () => {
                open += 1;
              })
              .on('error', () => undefined);
          }
          await w.sleep(600);
          return open > 64 && `${open} open`;
        });
      },
      { permissions: ({ echoPort }) => ({ net: { connect: [`127.0.0.1:${echoPort}`] } }), limits: { sockets: 64 } },
    ],
    [
      'look-up-datagrams',
      'sends UDP to loopback in the guise of name look-ups',
      async (w) => {
        const dns = await import('node:dns/promises');
        await w.attempt('a name server on loopback', async () => {
          const resolver = new dns.Resolver({ timeout: 300, tries: 1 });
          resolver.setServers([`127.0.0.1:${w.number('echoPort')}`]);
          try {
            return await resolver.resolve4('khook.invalid');
          } catch (error) {
            const code = String(w.get(error ?? {}, 'code'));
            // Whoever hears that nobody listens there has sent something.
            if (/REFUSED|TIMEOUT/.test(code)) return `sent: ${code}`;
            throw error;
          }
        });
      },
      { permissions: () => ({ net: true }), expect: ['denied', 'open'] },
    ],
  ],
);
