/** Plugins that end themselves, in every way a program can. */

import { type Body, group } from '../body.ts';

const FAILED_START = { expect: ['recycled:failed_start'] } as const;

export const CRASH: readonly Body[] = group(
  'crash',
  ['recycled:crash'],
  [
    [
      'throw-in-timer',
      'throws in a timer',
      () => {
        setTimeout(() => {
          throw new Error('a timer threw');
        }, 1);
      },
      { quick: true },
    ],
    [
      'reject-unheard',
      'rejects a promise that nobody awaits',
      () => void Promise.reject(new Error('nobody awaits me')),
    ],
    [
      'throw-null',
      'throws null',
      () => {
        setTimeout(() => {
          throw null;
        }, 1);
      },
    ],
    [
      'throw-proxy',
      'throws an object whose every property throws',
      () => {
        const hostile = (): never => {
          throw new Error('do not look at me');
        };
        const traps = {
          get: hostile,
          has: hostile,
          ownKeys: hostile,
          getPrototypeOf: hostile,
          getOwnPropertyDescriptor: hostile,
        };
        setTimeout(() => {
          throw new Proxy({}, traps);
        }, 1);
      },
    ],
    [
      'throw-huge-text',
      'throws a string of 100 MB',
      () => {
        const text = 'x'.repeat(100 * 1024 * 1024);
        setTimeout(() => {
          throw text;
        }, 1);
      },
      { expect: ['recycled:crash', 'recycled:out_of_memory', 'recycled:leak'] },
    ],
    [
      'throw-buffer',
      'throws an error with a buffer of 300 MB in it',
      () => {
        const error = Object.assign(new Error('look what I carry'), { cargo: Buffer.alloc(300 * 1024 * 1024, 1) });
        throw error;
      },
      { expect: ['recycled:crash', 'recycled:out_of_memory', 'recycled:leak'] },
    ],
    [
      'throw-uncloneable',
      'throws an error that carries functions, a port and itself',
      () => {
        const { port1 } = new MessageChannel();
        const cargo: Record<string, unknown> = { port1, run: () => 1 };
        cargo.self = cargo;
        throw Object.assign(new Error('not to be cloned'), cargo);
      },
    ],
    [
      'throw-in-prepare',
      'throws while its stack is written',
      () => {
        Error.prepareStackTrace = () => {
          throw new Error('no stack for you');
        };
        throw new Error('with a stack that cannot be written');
      },
    ],
    [
      'overflow-stack',
      'calls itself without end',
      () => {
        const deeper = (n: number): number => deeper(n + 1) + 1;
        setTimeout(() => deeper(0), 1);
      },
    ],
    [
      'emitter-error',
      'lets an emitter say error with nobody listening',
      async () => {
        const { EventEmitter } = await import('node:events');
        setTimeout(() => new EventEmitter().emit('error', new Error('nobody listens')), 1);
      },
    ],
    [
      'swallow-uncaught',
      'listens for its own uncaught errors to outlive them',
      () => {
        process.on('uncaughtException', () => undefined);
        process.on('unhandledRejection', () => undefined);
        setTimeout(() => {
          throw new Error('not to be swallowed');
        }, 1);
      },
    ],
    [
      'swallow-rejections',
      'listens for its own rejections to outlive them',
      () => {
        process.on('unhandledRejection', () => undefined);
        void Promise.reject(new Error('not to be swallowed'));
      },
    ],
    [
      'capture-errors',
      'takes the capture callback for uncaught errors',
      (w) =>
        w.attempt('setUncaughtExceptionCaptureCallback', () => {
          w.call(process, 'setUncaughtExceptionCaptureCallback', null);
          w.call(process, 'setUncaughtExceptionCaptureCallback', () => undefined);
          return 'its own callback stands';
        }),
      { expect: ['denied'] },
    ],
    [
      'exit',
      'calls process.exit',
      () => process.exit(5),
      { expect: ['recycled:exited', 'recycled:crash'], quick: true },
    ],
    [
      'really-exit',
      'calls process.reallyExit',
      (w) => w.call(process, 'reallyExit', 7),
      { expect: ['recycled:exited', 'recycled:crash', 'denied', 'stays'] },
    ],
    [
      'fatal-exception',
      'calls process._fatalException',
      (w) => w.call(process, '_fatalException', new Error('fatal')),
      { expect: ['recycled:crash', 'recycled:exited'] },
    ],
    ['throw-in-start', 'throws in start', { start: () => Promise.reject(new Error('no start today')) }, FAILED_START],
    [
      'throw-in-initialize',
      'throws in initialize',
      { initialize: () => Promise.reject(new Error('no initialize today')) },
      FAILED_START,
    ],
    ['throw-on-load', 'throws while it is imported', "throw new Error('no import today');\n", FAILED_START],
    ['syntax-error', 'is no JavaScript', 'export default {{{\n', FAILED_START],
    ['no-plugin', 'exports no plugin', 'export default 42;\n', FAILED_START],
    [
      'exit-on-load',
      'exits while it is imported',
      'process.exit(3);\n',
      { expect: ['recycled:failed_start', 'recycled:exited', 'recycled:crash'] },
    ],
    [
      'config-error',
      'throws a ConfigError in initialize',
      "import { ConfigError, definePlugin } from 'khook/plugin';\nexport default definePlugin({ initialize() { throw new ConfigError('never right'); }, start() {} });\n",
      { expect: ['refused'] },
    ],
  ],
);
