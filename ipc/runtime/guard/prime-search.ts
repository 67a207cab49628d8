// Runs in the plugin's thread.
/** The search for a prime p with p ≡ rem (mod add). OpenSSL goes on until it finds one, for ever when there is none. */

import { copyOfBytes } from './pool.ts';
import { floor, isView } from './primordials.ts';

const Integer = BigInt;
const MOST_BYTES = 1_024;
const MOST = 1n << 8_192n;

interface PrimeOptions {
  safe?: unknown;
  add?: unknown;
  rem?: unknown;
}

/** Makes integers of `add` and `rem`, so that they stay what was looked at. True when such primes are too few, or none. */
export function isEndless(bits: unknown, options: PrimeOptions): boolean {
  if (options.add === undefined || typeof bits !== 'number') return false;
  const add = integerOf(options.add);
  const rem = options.rem === undefined ? (options.safe ? 3n : 1n) : integerOf(options.rem);
  // Refused by Node, for its type or its sign.
  if (add === null || rem === null || add <= 0n || rem < 0n) return false;
  options.add = add;
  if (options.rem !== undefined) options.rem = rem;
  // As many candidates as there are steps of `add`; of safe primes there are fewer.
  const room = 1n << Integer(bits > 0 ? floor(bits) : 0);
  if (add >= MOST || (options.safe ? add ** 4n : (4n * add) ** 2n) >= room) return true;
  if (divisor(add, rem) !== 1n) return true;
  // (p − 1) / 2 is to be a prime as well: no odd number may divide it, nor may two.
  return !!options.safe && divisor(add, rem > 0n ? rem - 1n : add - 1n) > 2n;
}

/** Greatest common. */
function divisor(a: bigint, b: bigint): bigint {
  let larger = a;
  let smaller = b;
  while (smaller !== 0n) {
    const rest = larger % smaller;
    larger = smaller;
    smaller = rest;
  }
  return larger;
}

/** Of a BigInt, or of bytes, the largest first; null for what is neither. */
function integerOf(given: unknown): bigint | null {
  if (typeof given === 'bigint') return given;
  const bytes = copyOfBytes(given);
  if (typeof bytes !== 'object' || bytes === null) return null;
  // Shared memory, which could change, is none that can be looked at.
  if (!isView(bytes) || bytes.byteLength > MOST_BYTES) return MOST;
  let value = 0n;
  for (let at = 0; at < bytes.byteLength; at += 1) value = (value << 8n) | Integer((bytes as Uint8Array)[at] as number);
  return value;
}
