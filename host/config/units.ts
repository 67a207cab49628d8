/** Durations and sizes as users write them. Inside the code they are milliseconds and bytes, and the names say so. */

import * as z from 'zod';

const DURATION_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
};

/** A Go duration (`30s`, `1m30s`, `500ms`, `-5s`) in milliseconds; null when it is none. A bare number is none, except 0. */
export function parseDurationMs(value: unknown): number | null {
  if (value === 0 || value === '0') return 0;
  if (typeof value !== 'string' || value.length > 64) return null;
  const [, sign, body] = /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(value.trim()) ?? [];
  if (body === undefined) return null;
  let total = 0;
  for (const [, amount, unit] of body.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (DURATION_MS[unit ?? ''] ?? Number.NaN);
  }
  if (!Number.isFinite(total)) return null;
  return (sign === '-' ? -1 : 1) * Math.round(total);
}

/** `30s`, `1m30s`, `500ms`: the inverse of parseDurationMs for whole milliseconds. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return '0s';
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(ms / 3_600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'm'],
    [Math.floor(ms / 1_000) % 60, 's'],
    [ms % 1_000, 'ms'],
  ];
  return parts
    .filter(([amount]) => amount !== 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('');
}

/** `1MB` (10⁶), `4MiB` or `4Mi` (2²⁰), `512` in bytes; null when it is no size. */
export function parseBytes(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  if (typeof value !== 'string' || value.length > 64) return null;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(value.trim()) ?? [];
  const factor = BYTES[(unit ?? '?').toLowerCase()];
  if (amount === undefined || factor === undefined) return null;
  const bytes = Math.round(Number(amount) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** `4MiB`, `1536B`: binary units, whole numbers only. */
export function formatBytes(bytes: number): string {
  for (const [size, unit] of [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

/** A duration within bounds; the output is milliseconds. */
export function durationMs(bounds: { readonly min: string; readonly max: string }): z.ZodType<number, unknown> {
  return quantity({
    ...bounds,
    noun: 'a duration',
    example: '30s or 1m30s',
    parse: parseDurationMs,
    format: formatDuration,
  });
}

/** A size within bounds; the output is bytes. */
export function byteSize(bounds: { readonly min: string; readonly max: string }): z.ZodType<number, unknown> {
  return quantity({ ...bounds, noun: 'a size', example: '4MiB', parse: parseBytes, format: formatBytes });
}

interface Quantity {
  readonly min: string;
  readonly max: string;
  readonly noun: string;
  readonly example: string;
  readonly parse: (value: unknown) => number | null;
  readonly format: (value: number) => string;
}

/** The messages are the second half of a sentence whose first half (`configuration 'x'`) zod-problems writes. */
function quantity({ min, max, noun, example, parse, format }: Quantity): z.ZodType<number, unknown> {
  const lowest = parse(min) ?? 0;
  const highest = parse(max) ?? Number.MAX_SAFE_INTEGER;
  return z.unknown().transform((value, context): number => {
    const amount = parse(value);
    if (amount !== null && amount >= lowest && amount <= highest) return amount;
    const got =
      typeof value === 'string' || typeof value === 'number' ? `'${String(value).slice(0, 40)}'` : typeof value;
    const message =
      amount === null
        ? `must be ${noun} such as ${example}, got ${got}`
        : `must be between ${min} and ${max}, got ${format(amount)}`;
    context.addIssue({ code: 'custom', message, input: value });
    return z.NEVER;
  });
}
