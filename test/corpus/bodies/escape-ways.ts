/** More ways out: other spellings of paths, other doors to the same modules, and words that the parts of Node say to each other. */

import { type Body, group } from '../body.ts';

export const ESCAPE_WAYS: readonly Body[] = group(
  'escape',
  ['denied'],
  [
    [
      'odd-paths',
      'reads a file through every spelling of its path, and in every style of call',
      async (w) => {
        const fs = await import('node:fs');
        const { pathToFileURL, fileURLToPath } = await import('node:url');
        const secret = w.text('secret');
        const here = fileURLToPath(new URL('.', import.meta.url));
        const back = here.replace(/[^/]+/g, '..').slice(1);
        const url = pathToFileURL(secret);
        const shifting = { n: 0 };
        const paths: Record<string, unknown> = {
          plain: secret,
          buffer: Buffer.from(secret),
          bytes: new TextEncoder().encode(secret),
          url,
          'a look-alike of a URL': { href: url.href, protocol: 'file:', pathname: secret, hostname: '', search: '' },
          'up and down': `${here}${back}${secret.slice(1)}`,
          'up and down in bytes': Buffer.from(`${here}${back}${secret.slice(1)}`),
          'relative to its folder': `./${back}${secret.slice(1)}`,
          'of the process': `/proc/self/root${secret}`,
          'of its task': `/proc/thread-self/root${secret}`,
          'with dots': secret.replaceAll('/', '/./'),
          'with slashes': secret.replaceAll('/', '//'),
          'through its own folder': `${here}/../../../../../../../../../..${secret}`,
          'with a text that changes': Object.assign(new String(secret), {
            toString: () => (shifting.n++ % 2 === 0 ? `${here}index.js` : secret),
          }),
          'the environment': '/proc/self/environ',
          memory: '/proc/self/maps',
          'the parent': `/proc/${process.ppid}/environ`,
        };
        for (const [name, path] of Object.entries(paths)) {
          const given = path as string;
          await w.attempt(`${name}: readFileSync`, () => fs.readFileSync(given));
          await w.attempt(`${name}: promises.readFile`, () => fs.promises.readFile(given));
          await w.attempt(`${name}: readFile`, () => {
            const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
            fs.readFile(given, (error, data) => (error === null ? resolve(data) : reject(error)));
            return promise;
          });
          await w.attempt(`${name}: stream`, async () => {
            for await (const chunk of fs.createReadStream(given)) return chunk;
            return null;
          });
        }
      },
    ],
    [
      'odd-readers',
      'reads files through parts of Node that read files for themselves',
      async (w) => {
        const secret = w.text('secret');
        const { createRequire } = (await w.load('node:module')) as never as {
          createRequire: (path: string) => ((id: string) => unknown) & { extensions: object };
        };
        await w.attempt('loadEnvFile', () => {
          process.loadEnvFile(secret);
          return 'it was read';
        });
        await w.attempt('require as text', () => createRequire('/')(secret));
        await w.attempt('import as JSON', () => import(`file://${secret}`, { with: { type: 'json' } }));
        await w.attempt('import as bytes', () => import(`file://${secret}`, { with: { type: 'bytes' } } as never));
        await w.attempt('openAsBlob', async () => (await (await import('node:fs')).openAsBlob(secret)).text());
        await w.attempt('a watcher', async () => {
          const fs = await import('node:fs');
          fs.watchFile(secret, () => undefined);
          return fs.watch(secret);
        });
        await w.attempt('a zlib dictionary', async () => (await import('node:fs')).statSync(secret).size);
        await w.attempt('opendir', async () => (await import('node:fs')).opendirSync('/').readSync());
        await w.attempt('statfs of a folder', async () => (await import('node:fs')).statfsSync('/').type);
        await w.attempt('glob', async () => {
          for await (const found of (await import('node:fs/promises')).glob('/etc/*')) return found;
          return null;
        });
        await w.attempt('fetch of a file', () => fetch(`file://${secret}`));
        await w.attempt('a trace of modules', () =>
          w.call(process.getBuiltinModule('node:module'), 'findSourceMap', secret),
        );
        await w.attempt('local storage', () => w.get(globalThis, 'localStorage'));
      },
    ],
    [
      'odd-doors',
      'asks for closed modules under other names, through other doors',
      async (w) => {
        const { createRequire, default: Module } = (await w.load('node:module')) as never as {
          createRequire: (path: string) => (id: string) => unknown;
          default: object;
        };
        const require = createRequire('/');
        for (const name of [
          'sqlite',
          'inspector',
          'ffi',
          'wasi',
          'sea',
          'trace_events',
          'quic',
          'vfs',
          'internal/worker',
        ]) {
          for (const id of [
            `node:${name}`,
            name,
            `node:${name.toUpperCase()}`,
            ` node:${name}`,
            `node:./${name}`,
            `node:%73${name.slice(1)}`,
          ]) {
            await w.attempt(`require ${id}`, () => require(id));
            await w.attempt(`import ${id}`, () => w.load(id));
            // Each attempt is two lines, of which a second has room for two hundred.
            await w.sleep(20);
          }
        }
        const text = { toString: () => 'node:sqlite' };
        await w.attempt('a name that is no text', () => w.call(process, 'getBuiltinModule', text));
        await w.attempt('a boxed name', () => w.call(process, 'getBuiltinModule', new String('sqlite')));
        await w.attempt('_load of a name that is no text', () => w.call(Module, '_load', text));
        await w.attempt('mainModule', () => w.get(process, 'mainModule'));
        await w.attempt('a cached module', () => {
          const cache = w.get(Module, '_cache') as Record<string, unknown>;
          return Object.keys(cache).find((key) => /sqlite|inspector/.test(key));
        });
        await w.attempt('a module of its own making', () => {
          const made = new (
            Module as new (
              id: string,
            ) => { _compile(text: string, path: string): void; exports: unknown }
          )('x');
          made._compile("module.exports = require('node:sqlite')", '/x.cjs');
          return made.exports;
        });
        await w.attempt('an import in a text', () => new Function("return import('node:sqlite')")());
        await w.attempt('an import in a script', async () => {
          const vm = await import('node:vm');
          const options = { importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER };
          return vm.runInThisContext("import('node:sqlite')", options);
        });
        await w.attempt('an import in a data URL', () => w.load("data:text/javascript,export * from 'node:sqlite'"));
        await w.attempt('a builtin of the inside', () => require('internal/bootstrap/realm'));
      },
    ],
    [
      'odd-children',
      'starts threads and programs through every class and prototype that may do so',
      async (w) => {
        const threads = await import('node:worker_threads');
        const programs = await import('node:child_process');
        class Own extends threads.Worker {}
        await w.attempt('a class of its own', () => new Own('1', { eval: true }));
        await w.attempt('construct', () => Reflect.construct(threads.Worker, ['1', { eval: true }], Object));
        await w.attempt('the constructor of the prototype', () => {
          const { constructor: Made } = threads.Worker.prototype as { constructor: unknown } as {
            constructor: new (code: string, options: object) => unknown;
          };
          return new Made('1', { eval: true });
        });
        await w.attempt('the global', () => w.get(globalThis, 'Worker'));
        await w.attempt('a ChildProcess', () => new (programs.ChildProcess as never as new () => unknown)());
        await w.attempt('the prototype of ChildProcess', () =>
          w.call(programs.ChildProcess.prototype, 'spawn', { file: '/bin/true', args: ['true'] }),
        );
        for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork', '_forkChild'])
          await w.attempt(name, () => w.call(programs, name, '/bin/true', []));
        await w.attempt('promisified', async () => {
          const { promisify } = await import('node:util');
          return promisify(programs.execFile)('/bin/true');
        });
        await w.attempt(
          'os.setPriority',
          async () => w.call(await import('node:os'), 'setPriority', 0, 5) === undefined,
        );
        await w.attempt('SIGUSR1', () => w.call(process, 'kill', process.pid, 'SIGUSR1'));
      },
    ],
    [
      'listen-in',
      'listens to what the parts of Node say to each other, to find what is not its own',
      async (w) => {
        const channels = await import('node:diagnostics_channel');
        const { inspect } = await import('node:util');
        const found: string[] = [];
        const look = (message: unknown, name: unknown): void => {
          const text = inspect(message, { depth: 6, showHidden: true });
          if (/MessagePort|Pipe \{|\[Worker\]/.test(text)) found.push(`${String(name)}: ${text.slice(0, 60)}`);
        };
        for (const name of [
          'worker_threads',
          'child_process',
          'net.client.socket',
          'net.server.socket',
          'module.import',
        ])
          channels.subscribe(name, look);
        for (const name of ['module.require', 'module.import', 'net.server.listen', 'console.log']) {
          for (const part of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'])
            channels.subscribe(`tracing:${name}:${part}`, look);
        }
        const sent: unknown[] = [];
        new PerformanceObserver((list) => sent.push(...list.getEntries())).observe({
          entryTypes: ['function', 'gc', 'net', 'dns', 'http', 'mark', 'measure', 'resource'],
        });
        await w.ctx.emit(w.event(1));
        w.ctx.log.info('something to send');
        await w.load('node:zlib');
        await w.sleep(200);
        await w.attempt('what was heard', () => found.join(' | ') || null);
        await w.attempt('what its context shows', () => {
          const text = inspect([w.ctx, w.ctx.signal, globalThis, process], { depth: 8, showHidden: true });
          return /MessagePort \{|EventSender|idPrefix/.exec(text)?.[0];
        });
        await w.attempt('who calls its getters', async () => {
          let seen = '';
          const prepare = Error.prepareStackTrace;
          Error.prepareStackTrace = (_error, calls) => calls;
          const looking = {
            ...w.event(1),
            get metadata() {
              const calls = new Error('looking').stack as never as { getThis(): unknown; getFunction(): unknown }[];
              for (const call of calls) if ((call.getThis() ?? call.getFunction()) !== undefined) seen += 'found ';
              return undefined;
            },
          };
          await w.ctx.emit(looking as never);
          Error.prepareStackTrace = prepare;
          return seen.includes('found found found') && seen;
        });
        await w.attempt('structured clones of its context', () => structuredClone(w.ctx));
        await w.attempt('resources that are active', () => {
          const names = process.getActiveResourcesInfo();
          return names.some((name) => name === 'MessagePort' && typeof w.get(names, 0) === 'object');
        });
      },
    ],
    [
      'switches',
      'turns the switches of the process that are left',
      async (w) => {
        const v8 = await import('node:v8');
        await w.attempt('the flags of V8 by another name', () => {
          v8.setFlagsFromString.call(null, '--stack-size=100000');
          return 'the flag is set';
        });
        await w.attempt('a heap snapshot near the limit', () => {
          w.call(v8, 'setHeapSnapshotNearHeapLimit', 3);
          return 'it is set';
        });
        await w.attempt('a start-up snapshot', () => {
          w.call(v8.startupSnapshot, 'addSerializeCallback', () => undefined);
          return 'it is set';
        });
        await w.attempt('the proxy of all requests', async () => {
          const http = await w.load('node:http');
          w.call(http, 'setGlobalProxyFromEnv', { http_proxy: 'http://127.0.0.1:1' });
          return null;
        });
        for (const name of ['chdir', 'umask', 'setuid', 'setgid', 'setegid', 'abort', 'dlopen', 'binding', 'execve'])
          await w.attempt(`${name} by its prototype`, () => {
            w.call(Object.getPrototypeOf(process), name, '/');
            return 'it was called';
          });
        await w.attempt('the debugger', () => {
          w.call(process, '_debugProcess', process.pid);
          return 'it was called';
        });
        await w.attempt('source maps of the thread', () => {
          w.call(process, 'setSourceMapsEnabled', true);
          return null;
        });
        await w.attempt('the permission model', () => {
          const permission = w.get(process, 'permission');
          Object.assign(permission as object, { has: () => true });
          return w.call(permission, 'has', 'fs.read', '/etc/passwd') === true;
        });
        await w.attempt('a report on a signal', () => {
          Object.assign(w.get(process, 'report') as object, { reportOnSignal: true });
          return 'it is set';
        });
        await w.attempt('its memory limit', () => {
          w.call(process.allowedNodeEnvironmentFlags, 'add', '--inspect');
          process.execArgv.push('--inspect=0');
          return null;
        });
      },
      { expect: { thread: ['denied'], process: ['denied', 'recycled:crash'] } },
    ],
  ],
);
