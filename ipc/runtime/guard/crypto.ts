// Runs in the plugin's thread.
/** node:crypto and Web Crypto with a limit on the cost of a job; those for the thread pool wait for their turn in it. */

import {
  argon2Cost,
  hkdfCost,
  keyPairCost,
  outputCost,
  pbkdf2Cost,
  primeCheckCost,
  primeCost,
  readOnce,
  scryptCost,
  subtleCost,
  type TooMuch,
} from './crypto-costs.ts';
import type { Doors } from './doors.ts';
import { type Build, intercept, lock, lockAccessor, wrapConstructor } from './lock.ts';
import { copyOfBytes, type Pool } from './pool.ts';
import {
  type AnyFunction,
  apply,
  asNumber,
  construct,
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
/** Of Diffie-Hellman a number asks for one. */
const SAFE = { safe: true };
const optionsAt = (args: unknown[], index: number): Record<string, unknown> => {
  if (typeof args[index] !== 'object' || args[index] === null) return create(null) as Record<string, unknown>;
  args[index] = readOnce(args[index]);
  return args[index] as Record<string, unknown>;
};

/** Without its suffix Sync, which has the same arguments. */
const COSTS: Readonly<Record<string, Cost>> = {
  pbkdf2: (args) => pbkdf2Cost(args[2], args[3]),
  hkdf: (args) => hkdfCost(args[4]),
  scrypt: (args) => scryptCost(args[2], optionsAt(args, 3)),
  generateKeyPair: (args) => keyPairCost(args[0], optionsAt(args, 1)),
  generatePrime: (args) => primeCost(args[0], optionsAt(args, 1)),
  checkPrime: (args) => primeCheckCost(args[0], optionsAt(args, 1)),
  argon2: (args) => argon2Cost(optionsAt(args, 1)),
};
const NAMES = Object.keys(COSTS);

export interface CryptoGuardOptions {
  readonly refusals: Refusals;
  readonly doors: Doors;
  readonly pool: Pool;
}

/** Of a key that is derived; read once. */
function bitsAsked(name: string, args: unknown[]): unknown {
  const asked = args[2];
  if (name === 'deriveKey') {
    args[2] = readOnce(asked);
    return typeof asked === 'object' && asked !== null ? get(args[2] as object, 'length') : 0;
  }
  if (name !== 'deriveBits' || asked === undefined || asked === null) return 0;
  args[2] = asNumber(asked);
  return args[2];
}

/** Digests whose length may be chosen. */
function guardOutputs(crypto: Record<string, unknown>, refusals: Refusals): void {
  const check = (args: unknown[], at: number): unknown[] => {
    const fault = typeof args[at] === 'object' ? outputCost(optionsAt(args, at).outputLength) : null;
    if (fault !== null) throw refusals.error(fault, WHY);
    return args;
  };
  const Hash = crypto.Hash as AnyFunction;
  intercept(crypto, 'createHash', (original, self, args) => apply(original, self as object, check(args, 1)));
  intercept(crypto, 'hash', (original, self, args) => apply(original, self as object, check(args, 2)));
  intercept(Hash.prototype as object, 'copy', (original, self, args) =>
    apply(original, self as object, check(args, 0)),
  );
  const build: Build = (original, args, newTarget) => construct(original, check(args, 1), newTarget);
  lock(
    crypto,
    'Hash',
    wrapConstructor(Hash, build, (original, self, args) => apply(original, self as object, check(args, 1))),
  );
}

const TAKE_NO_BYTES: readonly string[] = ['randomBytes', 'generateKey', 'diffieHellman', 'encapsulate'];
const TAKE_BYTES: readonly string[] = ['sign', 'verify', 'decapsulate'];
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
    guardOutputs(crypto, refusals);
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
        const fault = typeof args[0] === 'number' ? primeCost(args[0], SAFE) : null;
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
          const fault = subtleCost(algorithm as never, bitsAsked(name, args));
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
