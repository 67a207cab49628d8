// Runs in the plugin's thread.
/** What may be asked of a compressor: how much memory, how long a look at one block, how many threads. */

import { isView } from './primordials.ts';

export interface Parameters {
  /** Of node:zlib: makes one. */
  readonly maker: string;
  /** In the arguments of the handle's `init`; the array before it is where a write leaves its result. */
  readonly callbackAt: number;
  readonly areSound: (args: readonly unknown[]) => boolean;
  /** Lowers what is too much; `tell` is given what it was and what it is. */
  readonly lower: (given: unknown, tell: (what: string, most: number) => void) => void;
  /** With these parameters it works on all of its input without a pause. */
  readonly isSlow: (given: unknown) => boolean;
}

interface Limit {
  /** In zlib.constants. */
  readonly number: number;
  readonly name: string;
  readonly most: number;
}

const BROTLI: readonly Limit[] = [
  { number: 2, name: 'window of brotli', most: 24 },
  { number: 3, name: 'block of brotli', most: 18 },
];
/** Above level 19 a compressor takes hundreds of megabytes: zstd itself calls it ultra. */
const ZSTD: readonly Limit[] = [
  { number: 100, name: 'level of zstd', most: 19 },
  { number: 101, name: 'window of zstd', most: 23 },
  { number: 102, name: 'hash table of zstd', most: 22 },
  { number: 103, name: 'chain table of zstd', most: 24 },
  { number: 104, name: 'search depth of zstd', most: 10 },
  { number: 106, name: 'target length of zstd', most: 999 },
  { number: 161, name: 'long-distance table of zstd', most: 22 },
  { number: 400, name: 'number of threads of zstd', most: 0 },
];
const UNZSTD: readonly Limit[] = [{ number: 100, name: 'window of zstd', most: 27 }];
/** A parameter that was not given. */
const ABSENT = -1;

const plain: Parameters = {
  maker: 'createInflateRaw',
  callbackAt: 5,
  areSound: (args) => args.length === 8 && areNumbers(args, 4) && isViewOrAbsent(args[6]),
  lower: () => undefined,
  isSlow: () => false,
};
const brotli = {
  callbackAt: 2,
  areSound: (args: readonly unknown[]) => args.length === 4 && isView(args[0]) && isViewOrAbsent(args[3]),
};
const zstd = {
  callbackAt: 3,
  areSound: (args: readonly unknown[]) => args.length === 6 && isView(args[0]) && isViewOrAbsent(args[4]),
  isSlow: () => false,
};

export const PARAMETERS: readonly Parameters[] = [
  plain,
  { ...brotli, maker: 'createBrotliCompress', lower: lowerAll(BROTLI), isSlow: isThorough },
  { ...brotli, maker: 'createBrotliDecompress', lower: () => undefined, isSlow: () => false },
  { ...zstd, maker: 'createZstdCompress', lower: lowerAll(ZSTD) },
  { ...zstd, maker: 'createZstdDecompress', lower: lowerAll(UNZSTD) },
];

function lowerAll(limits: readonly Limit[]): Parameters['lower'] {
  return (given, tell) => {
    const values = given as Int32Array;
    for (let index = 0; index < limits.length; index += 1) {
      const { number, name, most } = limits[index] as Limit;
      const value = number < values.length ? (values[number] as number) | 0 : ABSENT;
      if (value <= most) continue;
      tell(`a ${name} of ${value}`, most);
      values[number] = most;
    }
  };
}

/** Of brotli, whose default is its slowest. */
function isThorough(given: unknown): boolean {
  const quality = (given as Int32Array)[1] as number;
  return (quality | 0) === ABSENT || quality >= 10;
}

function areNumbers(args: readonly unknown[], count: number): boolean {
  for (let index = 0; index < count; index += 1) if (typeof args[index] !== 'number') return false;
  return true;
}

function isViewOrAbsent(value: unknown): boolean {
  return value === undefined || isView(value);
}
