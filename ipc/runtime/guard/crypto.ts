// Runs in the plugin's thread.
/** node:crypto and Web Crypto with a limit on the cost of a job; those for the thread pool wait for their turn in it. */

import {
  argon2Cost,
  keyPairCost,
  pbkdf2Cost,
  primeCheckCost,
  primeCost,
  readOnce,
  scryptCost,
  subtleCost,
  type TooMuch,
} from './crypto-costs.ts';
import type { Doors } from './doors.ts';
import { intercept, lockAccessor } from './lock.ts';
import { copyOfBytes, type Pool } from './pool.ts';
import {
  type AnyFunction,
  apply,
  create,
  defineProperty,
  each,
  get,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  ownKeys,
  rejected,
  theGlobal,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';

const later = setImmediate;
const WHY = 'it would keep a thread of the shared pool busy for too long';

type Cost = (args: unknown[]) => TooMuch;
const optionsAt = (args: unknown[], index: number): Record<string, unknown> => {
  if (typeof args[index] !== 'object' || args[index] === null) return create(null) as Record<string, unknown>;
  args[index] = readOnce(args[index]);
  return args[index] as Record<string, unknown>;
};

/** Without its suffix Sync, which has the same arguments. */
const COSTS: Readonly<Record<string, Cost>> = {
  pbkdf2: (args) => pbkdf2Cost(args[2]),
  scrypt: (args) => scryptCost(optionsAt(args, 3)),
  generateKeyPair: (args) => keyPairCost(args[0], optionsAt(args, 1)),
  generatePrime: (args) => primeCost(args[0]),
  checkPrime: (args) => primeCheckCost(args[0], optionsAt(args, 1)),
  argon2: (args) => argon2Cost(optionsAt(args, 1)),
};
const NAMES = Object.keys(COSTS);

export interface CryptoGuardOptions {
  readonly refusals: Refusals;
  readonly doors: Doors;
  readonly pool: Pool;
}

const TAKE_NO_BYTES: readonly string[] = ['randomBytes', 'generateKey', 'diffieHellman', 'encapsulate'];
const TAKE_BYTES: readonly string[] = ['sign', 'verify', 'hkdf', 'decapsulate'];
const SUBTLE: readonly string[] = [
  'decapsulateBits',
  'decapsulateKey',
  'decrypt',
  'deriveBits',
  'deriveKey',
  'digest',
  'encapsulateBits',
  'encapsulateKey',
  'encrypt',
  'generateKey',
  'sign',
  'unwrapKey',
  'verify',
  'wrapKey',
];

export function guardCrypto({ refusals, doors, pool }: CryptoGuardOptions): void {
  /** Node copies the bytes as it is called: by the time that a job's turn comes they may be others. */
  const keepBytes = (given: object): void => {
    if (pool.isFree) return;
    each(ownKeys(given), (key) => {
      if (key !== 'length')
        defineProperty(given, key, { __proto__: null, value: copyOfBytes(get(given, key)) } as PropertyDescriptor);
    });
  };
  doors.on(['crypto'], (crypto) => {
    each(NAMES, (name) => {
      const cost = COSTS[name] as Cost;
      const check = (args: unknown[]): void => {
        const fault = cost(args);
        if (fault !== null) throw refusals.error(fault, WHY);
      };
      intercept(crypto, name, (original, self, args) => {
        check(args);
        keepBytes(args);
        return pool.callback(original, self, args);
      });
      intercept(crypto, `${name}Sync`, (original, self, args) => {
        check(args);
        return apply(original, self as object, args);
      });
    });
    each(TAKE_NO_BYTES, (name) => {
      intercept(crypto, name, (original, self, args) => pool.callback(original, self, args));
    });
    // Not in the pool: what is filled may be given away while a thread is at work in it, and that would end the process.
    const fill = crypto.randomFillSync as AnyFunction;
    intercept(crypto, 'randomFill', (original, self, args) => {
      const last = args.length - 1;
      const callback = args[last];
      if (last < 1 || typeof callback !== 'function') return apply(original, self as object, args);
      args.length = last;
      const filled: unknown = apply(fill, self as object, args);
      return apply(later, undefined, [callback, null, filled]);
    });
    each(TAKE_BYTES, (name) => {
      intercept(crypto, name, (original, self, args) => {
        keepBytes(args);
        return pool.callback(original, self, args);
      });
    });
    each(['createDiffieHellman', 'DiffieHellman'], (name) => {
      intercept(crypto, name, (original, self, args) => {
        const fault = typeof args[0] === 'number' ? primeCost(args[0]) : null;
        if (fault !== null) throw refusals.error(fault, WHY);
        return apply(original, self as object, args);
      });
    });
    const { subtle } = crypto.webcrypto as { subtle: object };
    each(SUBTLE, (name) => {
      intercept(getPrototypeOf(subtle) as object, name, (original, self, args) => {
        const algorithm = readOnce(args[0]);
        args[0] = algorithm;
        if (typeof algorithm === 'object' && algorithm !== null) {
          const fault = subtleCost(algorithm as never);
          if (fault !== null) return rejected(refusals.error(fault, WHY));
          keepBytes(algorithm);
        }
        keepBytes(args);
        return pool.promise(() => apply(original, self as object, args));
      });
    });
  });
  const original = getOwnPropertyDescriptor(globalThis, 'crypto')?.get as AnyFunction;
  lockAccessor(globalThis, 'crypto', {
    get() {
      doors.open('crypto');
      return apply(original, theGlobal, []);
    },
    set: () => undefined,
  });
  const web = (): Crypto => apply(original, theGlobal, []) as Crypto;
  doors.lazyClass('SubtleCrypto', 'crypto', () => web().subtle.constructor);
  doors.lazyClass('Crypto', 'crypto', () => web().constructor);
}
