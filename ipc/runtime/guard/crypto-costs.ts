// Runs in the plugin's thread.
/**
 * What a cryptographic job costs, and how much of it one plugin may ask for. Such a job runs in native code that nothing can
 * interrupt, on the thread pool that every plugin and the host share. Options are copied first: what is checked is what is used.
 */

import { asNumber, create, isArray } from './primordials.ts';

const PBKDF2_ITERATIONS = 2_000_000;
/** N · r · p */
const SCRYPT_COST = 2 ** 20;
const RSA_BITS = 4_096;
const PRIME_BITS = 2_048;
const LARGE_PRIME = 1n << 2_048n;
const PRIME_CHECKS = 128;
/** In KiB, and times the number of passes. */
const ARGON2_MEMORY = 65_536;
const ARGON2_COST = 8 * ARGON2_MEMORY;

/** What is too much about a job, in words; null: nothing. */
export type TooMuch = string | null;
type Options = Record<string, unknown>;

export function pbkdf2Cost(iterations: unknown): TooMuch {
  return over(iterations, PBKDF2_ITERATIONS, 'iterations of pbkdf2');
}

export function scryptCost(options: Options): TooMuch {
  const n = size(options.N ?? options.cost, 16_384);
  const r = size(options.r ?? options.blockSize, 8);
  const p = size(options.p ?? options.parallelization, 1);
  return over(n * r * p, SCRYPT_COST, 'N · r · p of scrypt');
}

export function keyPairCost(type: unknown, options: Options): TooMuch {
  const limit = type === 'dsa' ? PRIME_BITS : RSA_BITS;
  return (
    over(options.modulusLength, limit, 'bits of a key') ?? over(options.primeLength, PRIME_BITS, 'bits of a prime')
  );
}

export function primeCost(bits: unknown): TooMuch {
  return over(bits, PRIME_BITS, 'bits of a prime');
}

export function primeCheckCost(candidate: unknown, options: Options): TooMuch {
  const bytes = (candidate as { byteLength?: unknown } | null)?.byteLength;
  if (typeof candidate === 'bigint' && candidate >= LARGE_PRIME) return `more than ${PRIME_BITS} bits of a prime`;
  return (
    over(size(bytes, 0) * 8, PRIME_BITS, 'bits of a prime') ?? over(options.checks, PRIME_CHECKS, 'checks of a prime')
  );
}

export function argon2Cost(options: Options): TooMuch {
  const memory = size(options.memory, 0);
  const product = memory * size(options.passes, 1);
  return over(memory, ARGON2_MEMORY, 'KiB of argon2') ?? over(product, ARGON2_COST, 'memory · passes of argon2');
}

/** Web Crypto: one object names the algorithm and its costs. */
export function subtleCost(algorithm: Options): TooMuch {
  return (
    over(algorithm.iterations, PBKDF2_ITERATIONS, 'iterations of PBKDF2') ??
    over(algorithm.modulusLength, RSA_BITS, 'bits of a key') ??
    argon2Cost(algorithm)
  );
}

function over(value: unknown, limit: number, unit: string): TooMuch {
  return size(value, 0) > limit ? `more than ${limit} ${unit}` : null;
}

/** Not a number: left to Node, which refuses it with its own words. */
function size(value: unknown, missing: number): number {
  return typeof value === 'number' ? value : missing;
}

/** Every enumerable property, read once; numbers as numbers. What is not an object comes back as it is. */
export function readOnce(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || isArray(given)) return given;
  const copy = create(null) as Options;
  for (const key in given) {
    const value = (given as Options)[key];
    copy[key] = isCost(key) && typeof value === 'object' && value !== null ? asNumber(value) : value;
  }
  return copy;
}

function isCost(key: string): boolean {
  return key === 'iterations' || key === 'modulusLength' || key === 'memory' || key === 'passes' || key === 'length';
}
