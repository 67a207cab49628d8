/** Plugins that fail with errors which are hard to end by: large ones, chains, non-errors, and handlers that take part in the end. */

import { type Body, group } from '../body.ts';

export const HOSTILE_ERRORS: readonly Body[] = group(
  'crash',
  ['recycled:crash'],
  [
    [
      'throw-huge-stack',
      'throws an error with megabytes of message, stack, name and code',
      () => {
        setTimeout(() => {
          const text = 'at somewhere\n'.repeat(400_000);
          throw Object.assign(new Error(text), { stack: text, name: text, code: text, kind: text });
        }, 1);
      },
    ],
    [
      'throw-chain',
      'throws an error that has a hundred thousand causes, and as many errors in it',
      () => {
        let error = new Error('the first');
        for (let n = 0; n < 100_000; n += 1) error = new Error(`number ${n}`, { cause: error });
        setTimeout(() => {
          throw new AggregateError(
            Array.from({ length: 100_000 }, () => error),
            'all of them',
          );
        }, 1);
      },
      { expect: ['recycled:crash', 'recycled:leak', 'recycled:out_of_memory'] },
    ],
    [
      'reject-non-errors',
      'rejects with symbols, functions, nothing and numbers',
      () => {
        for (const reason of [Symbol('s'), () => 1, undefined, Number.NaN, 5n, {}, [], '', globalThis, process]) {
          void Promise.reject(reason);
        }
      },
    ],
    [
      'throw-in-handlers',
      'throws in every handler that is asked as it ends',
      () => {
        const thrown = (): never => {
          throw new Error('thrown in a handler');
        };
        for (const name of [
          'uncaughtException',
          'uncaughtExceptionMonitor',
          'unhandledRejection',
          'exit',
          'beforeExit',
        ])
          process.on(name as 'exit', thrown);
        process.emit = thrown;
        setTimeout(() => {
          throw new Error('the first');
        }, 1);
      },
    ],
    [
      'loop-in-monitor',
      'loops in the monitor of its uncaught errors and in its exit handler',
      () => {
        process.on('uncaughtExceptionMonitor', () => {
          for (;;);
        });
        process.on('exit', () => {
          for (;;);
        });
        setTimeout(() => {
          throw new Error('the first');
        }, 1);
      },
      { expect: ['recycled:crash', 'recycled:hang'] },
    ],
    [
      'throw-in-dispose',
      'throws as it disposes of what throws as it is disposed of',
      () => {
        const stack = new DisposableStack();
        for (let n = 0; n < 1_000; n += 1) {
          stack.defer(() => {
            throw new Error(`disposed of ${n}`);
          });
        }
        setTimeout(() => stack.dispose(), 1);
      },
    ],
    [
      'throw-in-finalizer',
      'throws and emits in a finalizer',
      (w) => {
        const registry = new FinalizationRegistry<number>((n) => {
          void w.ctx.emit(w.event(n));
          throw new Error('thrown in a finalizer');
        });
        w.every(5, (n) => {
          for (let i = 0; i < 100; i += 1) registry.register({ n, text: 'x'.repeat(1_000) }, n);
        });
      },
    ],
    [
      'throw-in-tasks',
      'throws in a microtask, a tick, an immediate and a listener at once',
      (w) => {
        const thrown = (): never => {
          throw new Error('thrown');
        };
        setImmediate(thrown);
        process.nextTick(thrown);
        queueMicrotask(thrown);
        w.ctx.signal.addEventListener('abort', thrown);
        w.ctx.signal.dispatchEvent(new Event('abort'));
      },
    ],
    [
      'pretend-signals',
      'pretends that signals and messages came',
      (w) => {
        for (const name of [
          'SIGTERM',
          'SIGINT',
          'SIGHUP',
          'SIGUSR1',
          'disconnect',
          'message',
          'internalMessage',
          'exit',
        ])
          process.emit(name as 'SIGTERM', { cmd: 'NODE_HANDLE', kind: 'birth', type: 'stop' } as never);
        process.emit('workerMessage' as never, { kind: 'failed' } as never, 0 as never);
        new EventTarget().dispatchEvent(new MessageEvent('message', { data: { type: 'stop' } }));
        process.exitCode = 7;
        process.title = 'host';
        process.env.PATH = '/nowhere';
        process.env.NODE_OPTIONS = '--inspect';
        process.argv.length = 0;
        process.execArgv.push('--inspect');
        w.beat();
      },
      { expect: ['stays'], watchMs: 3_000 },
    ],
  ],
);
