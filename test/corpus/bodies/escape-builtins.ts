/** Ways out of the thread through the module system and the builtins that all code shares. */

import { type Body, group } from '../body.ts';

const NET = { permissions: () => ({ net: true }) } as const;

export const ESCAPE_BUILTINS: readonly Body[] = group(
  'escape',
  ['denied'],
  [
    [
      'module-hooks',
      'puts itself between the thread and its modules',
      async (w) => {
        const module = await import('node:module');
        await w.attempt('registerHooks', () => w.call(module, 'registerHooks', {}) ?? 'registered');
        await w.attempt('register', () => w.call(module, 'register', 'data:text/javascript,') ?? 'registered');
        await w.attempt('enableCompileCache', () => {
          const { directory } = w.call(module, 'enableCompileCache', '/tmp/khook-cache') as { directory?: string };
          return directory;
        });
      },
    ],
    [
      'fresh-builtins',
      'takes untouched builtins from another context',
      async (w) => {
        const vm = await import('node:vm');
        await w.attempt('createContext', () => vm.createContext({}));
        await w.attempt('runInNewContext', () => vm.runInNewContext('SharedArrayBuffer'));
        await w.attempt('runInThisContext', () => {
          vm.runInThisContext('process.kill(process.pid, 0)');
          return 'another kill';
        });
        await w.attempt('a ShadowRealm', () => new (w.get(globalThis, 'ShadowRealm') as new () => unknown)());
      },
    ],
    [
      'crypto-switches',
      'changes the cryptography of the process',
      async (w) => {
        const crypto = await import('node:crypto');
        await w.attempt('setFips', () => {
          crypto.setFips(true);
          return crypto.getFips();
        });
        await w.attempt('setEngine', () => {
          crypto.setEngine('dynamic');
          return 'set';
        });
      },
    ],
    [
      'pool-jobs',
      'fills the thread pool of the process with jobs that take minutes',
      async (w) => {
        const crypto = await import('node:crypto');
        for (let n = 0; n < 8; n += 1) {
          await w.attempt(`pbkdf2 ${n}`, () => {
            crypto.pbkdf2('p', 's', 30_000_000, 64, 'sha512', () => undefined);
            return 'it was taken';
          });
        }
        await w.attempt('scrypt', () => {
          crypto.scrypt('p', 's', 64, { N: 2 ** 20, r: 8, p: 16, maxmem: 4 * 1024 ** 3 }, () => undefined);
          return 'it was taken';
        });
        await w.attempt('generateKeyPair', () => {
          crypto.generateKeyPair('rsa', { modulusLength: 16_384 }, () => undefined);
          return 'it was taken';
        });
        await w.attempt('generatePrime', () => {
          crypto.generatePrime(8_192, { safe: true }, () => undefined);
          return 'it was taken';
        });
      },
      { quick: true },
    ],
    [
      'poison-prototypes',
      'spoils Object.prototype for whoever shares it',
      async (w) => {
        for (const key of ['then', 'fd', 'signal', 'get', 'set', 'value', 'code', 'kind', 'toJSON']) {
          Object.defineProperty(Object.prototype, key, { value: 1, configurable: true, writable: true });
        }
        await w.sleep(200);
      },
      { expect: ['stays', 'recycled:crash', 'recycled:protocol', 'recycled:exited', 'recycled:hang'] },
    ],
    [
      'poison-builtins',
      'spoils the builtins that the runtime may use',
      async (w) => {
        const broken = (): never => {
          throw new Error('broken');
        };
        globalThis.JSON.stringify = broken;
        globalThis.queueMicrotask = broken;
        globalThis.setTimeout = broken as never;
        globalThis.Date.now = () => Number.NaN;
        Map.prototype.get = broken;
        Array.prototype.push = broken;
        // biome-ignore lint/suspicious/noThenProperty: it is what this body does
        Promise.prototype.then = broken;
        await w.sleep(50);
      },
      { expect: ['stays', 'recycled:crash', 'recycled:protocol', 'recycled:exited', 'recycled:hang'] },
    ],
    [
      'spoil-regexp',
      'spoils RegExp against the filters of the network',
      async (w) => {
        const net = await import('node:net');
        RegExp.prototype.exec = () => null;
        RegExp.prototype.test = () => false;
        await w.attempt('loopback', () => {
          return new Promise((resolve, reject) => {
            const socket = net.connect({ host: '127.0.0.1', port: w.number('echoPort') }, () => resolve('connected'));
            socket.on('error', reject);
          });
        });
      },
      { expect: ['denied', 'recycled:crash'], ...NET },
    ],
  ],
);
