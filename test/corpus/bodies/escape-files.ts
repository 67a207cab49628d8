/** Ways to files and descriptors that were not granted. */

import { type Body, group } from '../body.ts';

export const ESCAPE_FILES: readonly Body[] = group(
  'escape',
  ['denied'],
  [
    [
      'scan-descriptors',
      'looks at every descriptor of the process',
      async (w) => {
        const fs = await import('node:fs');
        const open: number[] = [];
        await w.attempt('fstat of 0 to 255', () => {
          for (let fd = 0; fd < 256; fd += 1) {
            try {
              fs.fstatSync(fd);
              open.push(fd);
            } catch {}
          }
          return open.length > 0 && open.join(',');
        });
      },
      { quick: true },
    ],
    [
      'read-descriptors',
      'reads from descriptors that it did not open',
      async (w) => {
        const fs = await import('node:fs');
        await w.attempt('readSync at 0 of 3 to 255', () => {
          const bytes = Buffer.alloc(16);
          for (let fd = 3; fd < 256; fd += 1) {
            try {
              if (fs.readSync(fd, bytes, 0, 16, 0) > 0) return `${fd}: ${bytes.toString('latin1')}`;
            } catch {}
          }
          return null;
        });
        await w.attempt('createReadStream of 3 to 63', async () => {
          const found = Promise.withResolvers<string>();
          for (let fd = 3; fd < 64; fd += 1) {
            try {
              fs.createReadStream('', { fd, start: 0, end: 15, autoClose: false })
                .on('data', (data) => found.resolve(`${fd}: ${data}`))
                .on('error', () => undefined);
            } catch {}
          }
          setTimeout(() => found.resolve(''), 300);
          return (await found.promise) || null;
        });
      },
    ],
    [
      'write-descriptors',
      'writes into files of the host',
      async (w) => {
        const fs = await import('node:fs');
        const line = `${JSON.stringify({ level: 'info', name: 'forged', msg: 'a forged line' })}\n`;
        // What is written to 1 and 2 becomes a line of its own.
        fs.writeSync(1, line);
        fs.writeFileSync(2, line);
        await w.attempt('writeSync to 3 to 63', () => {
          for (let fd = 3; fd < 64; fd += 1) {
            try {
              if (fs.writeSync(fd, line) > 0) return `${fd} took it`;
            } catch {}
          }
          return null;
        });
        await w.attempt('write to 3 to 63', async () => {
          const write = (fd: number) =>
            new Promise((resolve) => fs.write(fd, line, (error) => resolve(error === null)));
          return (await Promise.all(Array.from({ length: 61 }, (_, n) => write(n + 3)))).includes(true);
        });
        await w.attempt('WriteStream', () => {
          return new Promise((resolve, reject) => {
            const stream = fs.createWriteStream('', { fd: 3, autoClose: false });
            stream.on('error', reject).write(line, (error) => (error ? reject(error) : resolve('written')));
          });
        });
        await w.attempt('tty.WriteStream(2)', async () => new (await import('node:tty')).WriteStream(2));
        await w.attempt('net.Socket({ fd: 1 })', async () => {
          const socket = new (await import('node:net')).Socket({ fd: 1, writable: true });
          socket.on('error', () => undefined);
          return w.get(socket, '_handle');
        });
      },
      { quick: true },
    ],
    [
      'close-descriptors',
      'closes the descriptors of the host',
      async (w) => {
        const fs = await import('node:fs');
        await w.attempt('closeSync of 3 to 59', () => {
          let closed = 0;
          for (let fd = 3; fd < 60; fd += 1) {
            try {
              fs.closeSync(fd);
              closed += 1;
            } catch {}
          }
          return closed > 0 && `${closed} closed`;
        });
      },
    ],
    [
      'drain-descriptors',
      'reads descriptors to their end, which for a live pipe never comes',
      async (w) => {
        const fs = await import('node:fs');
        await w.attempt('readFileSync of 3 to 63', () => {
          let taken = 0;
          for (let fd = 3; fd < 64; fd += 1) {
            try {
              taken += fs.readFileSync(fd).length;
            } catch {}
          }
          return taken > 0;
        });
      },
    ],
    [
      'handle-constructor',
      'makes a file handle for a descriptor of the host',
      async (w) => {
        const fs = await import('node:fs/promises');
        await w.attempt('the constructor behind a FileHandle', async () => {
          const handle = await fs.open(new URL(import.meta.url));
          for (const symbol of Object.getOwnPropertySymbols(handle)) {
            const raw = w.get(handle, symbol) as { constructor?: new (fd: number) => unknown } | null;
            if (symbol.description === 'kHandle' && raw?.constructor?.name === 'FileHandle')
              return new raw.constructor(1);
          }
          return null;
        });
      },
    ],
    [
      'exhaust-descriptors',
      'opens files until there are none left',
      async (w) => {
        const fs = await import('node:fs');
        const open: number[] = [];
        await w.attempt('more than 128 files at once', () => {
          try {
            for (let n = 0; n < 1_000; n += 1) open.push(fs.openSync(new URL(import.meta.url), 'r'));
          } catch {}
          return open.length > 128 && `${open.length} open`;
        });
        for (const fd of open) fs.closeSync(fd);
      },
    ],
    [
      'read-files',
      'reads files in every way there is',
      async (w) => {
        const fs = await import('node:fs');
        const fsp = await import('node:fs/promises');
        const { dirname } = await import('node:path');
        const secret = w.text('secret');
        const ways: Readonly<Record<string, (path: string) => unknown>> = {
          readFileSync: (path) => fs.readFileSync(path),
          'readFileSync of a Buffer': (path) => fs.readFileSync(Buffer.from(path)),
          'readFile of a promise': (path) => fsp.readFile(path),
          openSync: (path) => fs.openSync(path, 'r'),
          'openSync to write': (path) => fs.openSync(path, 'a'),
          openAsBlob: (path) => fs.openAsBlob(path),
          statSync: (path) => fs.statSync(path),
          existsSync: (path) => fs.existsSync(path),
          accessSync: (path) => fs.accessSync(path) ?? 'accessible',
          createReadStream: (path) => {
            return new Promise((resolve, reject) => fs.createReadStream(path).on('data', resolve).on('error', reject));
          },
          readdirSync: (path) => fs.readdirSync(dirname(path)),
          opendirSync: (path) => fs.opendirSync(dirname(path)),
          globSync: (path) => fs.globSync(`${dirname(path)}/*`).length > 0,
          watch: (path) => fs.watch(path),
          cpSync: (path) => fs.cpSync(path, '/tmp/khook-corpus-copy') ?? 'copied',
          statfsSync: (path) => fs.statfsSync(path),
          'through the bundle': (path) => fs.readFileSync(`${import.meta.dirname}/../../../../../../../..${path}`),
          import: (path) => w.load(path),
          require: async (path) => (await import('node:module')).createRequire(import.meta.url)(path),
        };
        for (const [name, way] of Object.entries(ways)) await w.attempt(name, () => way(secret));
        for (const path of ['/etc/passwd', '/proc/self/environ', '/proc/self/maps', '.', '..', process.cwd()]) {
          await w.attempt(`${path}`, () =>
            path.length > 2 && !path.endsWith('s') && !path.endsWith('d')
              ? fs.readdirSync(path)
              : fs.openSync(path, 'r'),
          );
        }
      },
      { quick: true },
    ],
    [
      'write-files',
      'writes files in every way there is',
      async (w) => {
        const fs = await import('node:fs');
        const secret = w.text('secret');
        const target = `${secret}.written`;
        const ways: Readonly<Record<string, () => unknown>> = {
          writeFileSync: () => fs.writeFileSync(target, 'x'),
          appendFileSync: () => fs.appendFileSync(secret, 'x'),
          mkdirSync: () => fs.mkdirSync(target),
          mkdtempSync: () => fs.mkdtempSync('/tmp/khook-corpus-'),
          symlinkSync: () => fs.symlinkSync(secret, target),
          linkSync: () => fs.linkSync(secret, target),
          renameSync: () => fs.renameSync(secret, target),
          copyFileSync: () => fs.copyFileSync(new URL(import.meta.url), target),
          truncateSync: () => fs.truncateSync(secret, 0),
          chmodSync: () => fs.chmodSync(secret, 0o777),
          utimesSync: () => fs.utimesSync(secret, 0, 0),
          rmSync: () => fs.rmSync(secret),
          unlinkSync: () => fs.unlinkSync(secret),
          'its own bundle': () => fs.writeFileSync(new URL('./planted.js', import.meta.url), 'x'),
          'a link in its own bundle': () => fs.symlinkSync('/etc', new URL('./etc', import.meta.url)),
        };
        for (const [name, way] of Object.entries(ways)) {
          await w.attempt(name, () => {
            way();
            return 'it was done';
          });
        }
      },
    ],
    [
      'granted-folder',
      'reads beyond a folder that was granted',
      async (w) => {
        const fs = await import('node:fs');
        await w.attempt('its parent', () =>
          fs.readFileSync(`${w.text('folder')}/../${w.text('secret').split('/').pop()}`),
        );
        await w.attempt('a folder whose name begins the same', () => fs.readdirSync(`${w.text('folder')}-beside`));
        await w.attempt('writing into it', () => {
          fs.writeFileSync(`${w.text('folder')}/new`, 'x');
          return 'written';
        });
      },
      { permissions: ({ folder }) => ({ read: [folder] }) },
    ],
    [
      'linked-folder',
      'is granted a folder with a link out of it and a FIFO in it',
      async (w) => {
        const fs = await import('node:fs');
        await w.attempt('through the link', () => fs.readFileSync(`${w.text('trap')}/link`));
        await w.attempt('through the linked folder', () => fs.readdirSync(`${w.text('trap')}/folder`));
        await w.attempt('opening the FIFO', () => fs.openSync(`${w.text('trap')}/fifo`, 'r'));
      },
      { permissions: ({ trap }) => ({ read: [trap] }), expect: ['refused'], quick: true },
    ],
  ],
);
