// Runs in the plugin's thread.
/** node:crypto and Web Crypto with a limit on the cost of a job and on how many run at once. */

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
import {
  type AnyFunction,
  apply,
  create,
  each,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  newPromise,
  promiseThen,
  rejected,
  theGlobal,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';
import { Turns } from './turns.ts';

/** Of one plugin; the thread pool has more threads, so that others get theirs. */
const JOBS_AT_ONCE = 2;
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

export function guardCrypto(refusals: Refusals, doors: Doors): void {
  const turns = new Turns(JOBS_AT_ONCE);
  doors.on(['crypto'], (crypto) => {
    each(NAMES, (name) => {
      const cost = COSTS[name] as Cost;
      const check = (args: unknown[]): void => {
        const fault = cost(args);
        if (fault !== null) throw refusals.error(fault, WHY);
      };
      intercept(crypto, name, (original, self, args) => {
        check(args);
        return turns.callback(original, self, args);
      });
      intercept(crypto, `${name}Sync`, (original, self, args) => {
        check(args);
        return apply(original, self as object, args);
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
    each(['deriveBits', 'deriveKey', 'generateKey'], (name) => {
      intercept(getPrototypeOf(subtle) as object, name, (original, self, args) => {
        args[0] = readOnce(args[0]);
        const fault = typeof args[0] === 'object' && args[0] !== null ? subtleCost(args[0] as never) : null;
        if (fault !== null) return rejected(refusals.error(fault, WHY));
        return newPromise((resolve, reject) => {
          turns.take((end) => {
            const settle = (give: (value: unknown) => void) => (value: unknown) => {
              end();
              give(value);
            };
            void promiseThen(
              apply(original, self as object, args) as Promise<unknown>,
              settle(resolve),
              settle(reject),
            );
          });
        });
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
  // Deleted first: to look at these properties, and so to redefine them, loads all of Node's crypto.
  const web = (): Crypto => apply(original, theGlobal, []) as Crypto;
  lazyClass('SubtleCrypto', () => web().subtle.constructor, doors);
  lazyClass('Crypto', () => web().constructor, doors);
}

function lazyClass(name: string, find: () => unknown, doors: Doors): void {
  Reflect.deleteProperty(globalThis, name);
  lockAccessor(globalThis, name, {
    get() {
      doors.open('crypto');
      return find();
    },
    set: () => undefined,
  });
}
