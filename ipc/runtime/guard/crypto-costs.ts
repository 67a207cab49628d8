// Runs in the plugin's thread.
/**
 * What a cryptographic job costs, and how much of it one plugin may ask for. Such a job runs in native code that nothing can
 * interrupt, on the thread pool that every plugin and the host share. Options are copied first: what is checked is what is used.
 */

import { isEndless } from './prime-search.ts';
import { asNumber, ceil, create, isArray } from './primordials.ts';

const PBKDF2_ITERATIONS = 2_000_000;
/** Each costs all iterations once more. */
const PBKDF2_BLOCK = 64;
/** Of what is derived, and of a digest that may have any length. */
const OUTPUT_BYTES = 2 ** 24;
const OUTPUT_BITS = 8 * OUTPUT_BYTES;
/** N · r · p */
const SCRYPT_COST = 2 ** 20;
const RSA_BITS = 4_096;
const PRIME_BITS = 2_048;
/** A safe prime is a hundred times rarer. */
const SAFE_PRIME_BITS = 1_024;
const LARGE_PRIME = 1n << 2_048n;
const PRIME_CHECKS = 128;
/** In KiB, and times the number of passes. */
const ARGON2_MEMORY = 65_536;
const ARGON2_COST = 8 * ARGON2_MEMORY;

/** Options that are a number. */
const COSTS: readonly string[] = [
  'iterations',
  'length',
  'memory',
  'modulusLength',
  'outputLength',
  'passes',
  'tagLength',
];

/** What is too much about a job, in words; null: nothing. */
export type TooMuch = string | null;
type Options = Record<string, unknown>;

export function pbkdf2Cost(iterations: unknown, bytes: unknown): TooMuch {
  const blocks = ceil(size(bytes, 0) / PBKDF2_BLOCK);
  return (
    over(iterations, PBKDF2_ITERATIONS, 'iterations of pbkdf2') ??
    over(size(iterations, 1) * blocks, PBKDF2_ITERATIONS, `iterations of pbkdf2 for ${PBKDF2_BLOCK} bytes`)
  );
}

/** Of a digest whose length may be chosen. */
export function outputCost(bytes: unknown): TooMuch {
  return over(bytes, OUTPUT_BYTES, 'bytes of a digest');
}

export function hkdfCost(bytes: unknown): TooMuch {
  return over(bytes, OUTPUT_BYTES, 'bytes of hkdf');
}

export function scryptCost(bytes: unknown, options: Options): TooMuch {
  const n = size(options.N ?? options.cost, 16_384);
  const r = size(options.r ?? options.blockSize, 8);
  const p = size(options.p ?? options.parallelization, 1);
  return over(n * r * p, SCRYPT_COST, 'N · r · p of scrypt') ?? over(bytes, OUTPUT_BYTES, 'bytes of scrypt');
}

export function keyPairCost(type: unknown, options: Options): TooMuch {
  const limit = type === 'dsa' ? PRIME_BITS : RSA_BITS;
  return (
    over(options.modulusLength, limit, 'bits of a key') ??
    over(options.primeLength, SAFE_PRIME_BITS, 'bits of a safe prime')
  );
}

export function primeCost(bits: unknown, options: Options): TooMuch {
  if (isEndless(bits, options)) return 'a prime of which there is hardly one: its add and rem leave too few';
  if (options.safe) return over(bits, SAFE_PRIME_BITS, 'bits of a safe prime');
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
  return (
    over(memory, ARGON2_MEMORY, 'KiB of argon2') ??
    over(product, ARGON2_COST, 'memory · passes of argon2') ??
    over(options.tagLength, OUTPUT_BYTES, 'bytes of argon2')
  );
}

/** Web Crypto: one object names the algorithm and its costs. */
export function subtleCost(algorithm: Options, bits: unknown): TooMuch {
  return (
    pbkdf2Cost(algorithm.iterations, size(bits, 0) / 8) ??
    over(bits, OUTPUT_BITS, 'bits of a key') ??
    over(algorithm.length, OUTPUT_BITS, 'bits of a key') ??
    over(algorithm.outputLength, OUTPUT_BITS, 'bits of a digest') ??
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
    // As Web Crypto takes it: a text of digits is a number there.
    copy[key] = isCost(key) && typeof value !== 'number' && value !== undefined ? asNumber(value) : value;
  }
  return copy;
}

function isCost(key: string): boolean {
  for (let at = 0; at < COSTS.length; at += 1) if (COSTS[at] === key) return true;
  return false;
}
