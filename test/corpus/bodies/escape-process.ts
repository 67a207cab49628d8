/** Ways out of the thread through the process and its messages, and through modules that lead out. */

import { type Body, group } from '../body.ts';

export const ESCAPE_PROCESS: readonly Body[] = group(
  'escape',
  ['denied'],
  [
    [
      'kill',
      'kills the host and its parent',
      async (w) => {
        await w.attempt('process.kill of itself with 0', () => w.call(process, 'kill', process.pid, 0));
        await w.attempt('process._kill of itself with 0', () => w.call(process, '_kill', process.pid, 0) === 0);
        await w.attempt('process.kill of the parent with 0', () => w.call(process, 'kill', process.ppid, 0));
        await w.attempt('kill of the prototype', () => w.call(Object.getPrototypeOf(process), 'kill', process.pid, 0));
      },
      { quick: true },
    ],
    [
      'natives',
      'reaches for what only a main thread may do',
      async (w) => {
        const calls: readonly (readonly [string, ...unknown[]])[] = [
          ['abort'],
          ['execve', '/bin/true', ['true'], {}],
          ['dlopen', { exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6'],
          ['binding', 'fs'],
          ['binding', 'spawn_sync'],
          ['_linkedBinding', 'fs'],
          ['chdir', '/'],
          ['umask', 0],
          ['setuid', 0],
          ['seteuid', 0],
          ['setgid', 0],
          ['setgroups', [0]],
          ['initgroups', 'root', 0],
          ['_debugProcess', process.pid],
          ['_debugEnd'],
          ['_startProfilerIdleNotifier'],
        ];
        for (const [name, ...args] of calls) {
          await w.attempt(`process.${name}(${args.length === 1 ? String(args[0]) : ''})`, () => {
            w.call(process, name, ...args);
            return 'it was called';
          });
        }
      },
      // A process of its own may abort itself.
      { expect: { thread: ['denied'], process: ['denied', 'recycled:crash'] } },
    ],
    [
      'report',
      "reads the host's environment from a report",
      async (w) => {
        await w.attempt('process.report.getReport', () => {
          const report = w.call(w.get(process, 'report'), 'getReport') as { environmentVariables?: object };
          return Object.keys(report.environmentVariables ?? {}).includes('PATH');
        });
        await w.attempt('process.report.writeReport', () =>
          w.call(w.get(process, 'report'), 'writeReport', '/tmp/r.json'),
        );
        await w.attempt('process.report.directory', () => {
          const report = w.get(process, 'report') as { directory: string };
          report.directory = '/tmp';
          return report.directory === '/tmp';
        });
      },
    ],
    [
      'environment',
      'reads the environment of the host',
      async (w) => {
        await w.attempt('process.env', () => ['PATH', 'HOME', 'CORPUS_SECRET'].find((name) => process.env[name]));
        await w.attempt("an own environment is the host's", async () => {
          const { getEnvironmentData } = await import('node:worker_threads');
          return getEnvironmentData('khook');
        });
      },
    ],
    [
      'handles',
      'looks for the handles of the thread',
      async (w) => {
        for (const name of ['_getActiveHandles', '_getActiveRequests']) {
          await w.attempt(name, () => (w.call(process, name) as unknown[]).length > 0);
        }
      },
    ],
    [
      'forge-port-of-streams',
      "posts on the thread's own port, found behind its streams",
      async (w) => {
        for (const name of ['stdout', 'stderr', 'stdin'] as const) {
          await w.attempt(`a port behind process.${name}`, () => {
            const stream: object = process[name];
            const owners = [stream, Object.getPrototypeOf(stream) as object];
            for (const owner of owners) {
              for (const symbol of Object.getOwnPropertySymbols(owner)) {
                const found = w.get(stream, symbol);
                if (!(found instanceof MessagePort)) continue;
                found.postMessage({ type: 'made up' });
                return String(symbol);
              }
            }
            return null;
          });
        }
      },
      { quick: true },
    ],
    [
      'parent-port',
      "posts on the thread's parent port",
      async (w) => {
        await w.attempt('parentPort', async () => {
          const { parentPort } = await import('node:worker_threads');
          parentPort?.postMessage({ type: 'made up' });
          return parentPort;
        });
        await w.attempt('workerData', async () => {
          const { workerData } = await import('node:worker_threads');
          return Object.values((workerData as object | null) ?? {}).some((value) => value instanceof MessagePort);
        });
      },
      { quick: true },
    ],
    [
      'thread-messages',
      'sends to other threads',
      async (w) => {
        const threads = await import('node:worker_threads');
        await w.attempt('postMessageToThread(0)', async () => {
          await threads.postMessageToThread(0, { type: 'made up' });
          return 'it was sent';
        });
        await w.attempt('postMessageToThread(1)', async () => {
          await threads.postMessageToThread(1, { type: 'made up' });
          return 'it was sent';
        });
        await w.attempt('BroadcastChannel of worker_threads', () => new threads.BroadcastChannel('khook'));
        await w.attempt('BroadcastChannel of the thread', () => new BroadcastChannel('khook'));
        await w.attempt('locks', async () => {
          const { locks } = (await w.load('node:worker_threads')) as { locks?: unknown };
          return w.call(locks, 'request', 'khook', () => 'held');
        });
        await w.attempt('navigator.locks', () => w.call(w.get(navigator, 'locks'), 'request', 'khook', () => 'held'));
        await w.attempt('new Worker', () => new threads.Worker('1', { eval: true }));
      },
      { quick: true },
    ],
    [
      'shared-memory',
      'shares memory with whoever takes it',
      async (w) => {
        await w.attempt('SharedArrayBuffer', () => new SharedArrayBuffer(100_000));
        await w.attempt('SharedArrayBuffer by its constructor', () => {
          const { buffer } = new w.wasm.Memory({ initial: 1, maximum: 1, shared: true });
          const Shared = (Object.getPrototypeOf(buffer) as object).constructor as new (size: number) => unknown;
          return new Shared(100_000);
        });
      },
    ],
    [
      'async-hooks',
      'looks at the resources of the thread through async hooks',
      async (w) => {
        const hooks = await import('node:async_hooks');
        await w.attempt('executionAsyncResource', () => {
          const resource: unknown = hooks.executionAsyncResource();
          return resource instanceof MessagePort;
        });
        await w.attempt('createHook', async () => {
          let found = '';
          hooks.createHook({ init: (_id, type) => (found += type) }).enable();
          await w.sleep(20);
          return found !== '';
        });
      },
    ],
    [
      'v8-flags',
      'changes flags of the whole process',
      async (w) => {
        const v8 = await import('node:v8');
        await w.attempt('setFlagsFromString', () => {
          v8.setFlagsFromString('--no-opt');
          return 'the flag is set';
        });
        await w.attempt('setHeapSnapshotNearHeapLimit', () => {
          v8.setHeapSnapshotNearHeapLimit(1);
          return 'it is set';
        });
        await w.attempt('writeHeapSnapshot', () => v8.writeHeapSnapshot('/tmp/khook.heapsnapshot'));
        await w.attempt('writeHeapSnapshot here', () => v8.writeHeapSnapshot());
        await w.attempt('startCpuProfile', () => w.call(v8, 'startCpuProfile'));
        await w.attempt('takeCoverage', () => w.call(v8, 'takeCoverage'));
      },
      { quick: true },
    ],
    [
      'priority',
      'changes priorities of processes',
      async (w) => {
        const os = await import('node:os');
        for (const [name, pid] of [
          ['itself', 0],
          ['the parent', process.ppid],
        ] as const) {
          await w.attempt(`setPriority of ${name}`, () => {
            os.setPriority(pid, 1);
            return os.getPriority(pid) === 1;
          });
        }
      },
    ],
    [
      'modules',
      'loads modules that lead out of the thread',
      async (w) => {
        const names = ['sqlite', 'ffi', 'wasi', 'inspector', 'inspector/promises', 'repl', 'trace_events', 'sea'];
        const { createRequire } = await import('node:module');
        const require = createRequire(import.meta.url);
        for (const name of names) {
          await w.attempt(`import node:${name}`, () => w.load(`node:${name}`));
          await w.attempt(`require node:${name}`, () => require(`node:${name}`));
          await w.attempt(`getBuiltinModule ${name}`, () => w.call(process, 'getBuiltinModule', `node:${name}`));
          await w.attempt(`Module._load ${name}`, async () => {
            const { default: Module } = await import('node:module');
            return w.call(Module, '_load', `node:${name}`);
          });
        }
      },
    ],
    [
      'sqlite',
      'opens a database anywhere',
      async (w) => {
        for (const path of [w.text('secret'), ':memory:', '/tmp/khook-corpus.db']) {
          await w.attempt(`open ${path}`, async () => {
            const { DatabaseSync } = (await w.load('node:sqlite')) as { DatabaseSync: new (path: string) => unknown };
            return new DatabaseSync(path);
          });
        }
      },
    ],
    [
      'children',
      'starts processes',
      async (w) => {
        await w.attempt('spawn', async () => {
          const { spawnSync } = await import('node:child_process');
          return spawnSync('/bin/true').status === 0;
        });
        await w.attempt('exec', async () => {
          const { execSync } = await import('node:child_process');
          return execSync('echo out').length > 0;
        });
        await w.attempt('fork', async () => {
          const { fork } = await import('node:child_process');
          return fork('/dev/null').pid;
        });
        await w.attempt('cluster.fork', async () =>
          w.get(w.call((await w.load('node:cluster')).default, 'fork'), 'id'),
        );
      },
    ],
    [
      'inspector',
      'attaches a debugger to the host',
      async (w) => {
        await w.attempt('Session.connect', async () => {
          const { Session } = await import('node:inspector');
          new Session().connect();
          return 'connected';
        });
        await w.attempt('connectToMainThread', async () => {
          const { Session } = await import('node:inspector');
          new Session().connectToMainThread();
          return 'connected';
        });
        await w.attempt('open', async () => {
          const inspector = await import('node:inspector');
          inspector.open(0);
          return inspector.url();
        });
      },
    ],
  ],
);
