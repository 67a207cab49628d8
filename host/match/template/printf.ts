/** Go's `printf` for the values a template can have. Whole numbers also take the float verbs: JSON does not tell 3 from 3.0. */

import { formatNumber, formatValue, quoteText, withGoExponent } from './format.ts';
import type { Meter } from './meter.ts';
import { isInteger, isNothing, typeName } from './value.ts';

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?([\s\S]?)/gu;
/** Widths and precisions above it are refused, as Go refuses them above a million. */
const MAX_WIDTH = 10_000;

interface Spec {
  readonly flags: string;
  readonly width: number;
  /** -1 when none is given. */
  readonly precision: number;
}

export function formatPrintf(format: string, args: readonly unknown[], meter: Meter): string {
  let used = 0;
  meter.spendText(format.length);
  const text = format.replace(VERB, (_, flags: string, width?: string, precision?: string, verb?: string) => {
    if (verb === undefined || verb === '') return '%!(NOVERB)';
    if (verb === '%') return '%';
    const spec = { flags, width: Number(width ?? 0), precision: precision === undefined ? -1 : Number(precision) };
    if (!(spec.width <= MAX_WIDTH)) return '%!(BADWIDTH)';
    if (!(spec.precision <= MAX_WIDTH)) return '%!(BADPREC)';
    if (used >= args.length) return `%!${verb}(MISSING)`;
    used += 1;
    const formatted = formatVerb(verb, args[used - 1], spec, meter);
    meter.spendText(formatted.length);
    return formatted;
  });
  if (used >= args.length) return text;
  const extra = args
    .slice(used)
    .map((arg) => (isNothing(arg) ? '<nil>' : `${typeName(arg)}=${formatValue(arg, meter)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatVerb(verb: string, value: unknown, spec: Spec, meter: Meter): string {
  const mismatch = (): string =>
    isNothing(value) ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${formatValue(value, meter)})`;
  switch (verb) {
    case 'v':
      if (typeof value === 'number') return isInteger(value) ? integer(value, 10, spec) : float(value, 'g', spec);
      return pad(typeof value === 'string' ? cut(value, spec) : formatValue(value, meter), spec);
    case 'T':
      return pad(typeName(value), spec);
    case 's':
      if (Array.isArray(value)) return `[${value.map((item) => formatVerb('s', item, spec, meter)).join(' ')}]`;
      return typeof value === 'string' ? pad(cut(value, spec), spec) : mismatch();
    case 'q':
      if (typeof value === 'string') return pad(quoteText(cut(value, spec), meter), spec);
      return mismatch();
    case 't':
      return typeof value === 'boolean' ? pad(String(value), spec) : mismatch();
    case 'd':
    case 'b':
    case 'o':
      return isInteger(value) ? integer(value, verb === 'd' ? 10 : verb === 'b' ? 2 : 8, spec) : mismatch();
    case 'x':
    case 'X':
      return hexadecimal(verb, value, spec) ?? mismatch();
    case 'c':
      return isInteger(value) && value >= 0 && value <= 0x10ffff ? pad(String.fromCodePoint(value), spec) : mismatch();
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      return typeof value === 'number' ? float(value, verb, spec) : mismatch();
    default:
      return mismatch();
  }
}

function hexadecimal(verb: string, value: unknown, spec: Spec): string | null {
  const inCase = (text: string): string => (verb === 'X' ? text.toUpperCase() : text);
  if (typeof value === 'string') return pad(inCase(Buffer.from(value).toString('hex')), spec);
  return isInteger(value) ? inCase(integer(value, 16, spec)) : null;
}

function integer(value: number, radix: number, spec: Spec): string {
  const digits = Math.abs(value).toString(radix).padStart(Math.max(0, spec.precision), '0');
  return signed(value < 0, digits, spec, spec.precision === -1);
}

function float(value: number, verb: string, spec: Spec): string {
  if (!Number.isFinite(value)) return pad(formatNumber(value), spec);
  const magnitude = Math.abs(value);
  const isUpper = verb === 'E' || verb === 'G';
  let text: string;
  if (verb === 'e' || verb === 'E') text = withGoExponent(magnitude.toExponential(Math.min(100, precisionOr(spec, 6))));
  else if (verb === 'f' || verb === 'F') text = fixed(magnitude, Math.min(100, precisionOr(spec, 6)));
  else text = general(magnitude, spec.precision);
  return signed(value < 0 || Object.is(value, -0), isUpper ? text.toUpperCase() : text, spec, true);
}

/** toFixed gives up at 1e21, and rounds a tie up where Go rounds it to even. */
function fixed(magnitude: number, precision: number): string {
  if (magnitude < 1e21) {
    const exact = magnitude.toFixed(Math.min(100, precision + 30));
    const cutAt = exact.indexOf('.') + 1 + precision;
    const isTie = precision + 30 <= 100 && /^50*$/.test(exact.slice(cutAt));
    const down = exact.slice(0, precision === 0 ? cutAt - 1 : cutAt);
    return isTie && /[02468]$/.test(down) ? down : magnitude.toFixed(precision);
  }
  return `${BigInt(magnitude)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`;
}

function general(magnitude: number, precision: number): string {
  if (precision === -1) return formatNumber(magnitude);
  const digits = Math.min(100, Math.max(1, precision));
  const exponential = magnitude.toExponential(digits - 1);
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1));
  const withoutZeros = (text: string): string =>
    text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
  if (exponent >= -4 && exponent < digits) return withoutZeros(magnitude.toFixed(Math.max(0, digits - 1 - exponent)));
  const [mantissa = '', power = ''] = exponential.split('e');
  return withGoExponent(`${withoutZeros(mantissa)}e${power}`);
}

function precisionOr(spec: Spec, fallback: number): number {
  return spec.precision === -1 ? fallback : spec.precision;
}

function signed(isNegative: boolean, digits: string, spec: Spec, fillsWithZeros: boolean): string {
  const sign = isNegative ? '-' : spec.flags.includes('+') ? '+' : spec.flags.includes(' ') ? ' ' : '';
  if (fillsWithZeros && spec.flags.includes('0') && !spec.flags.includes('-')) {
    return sign + digits.padStart(spec.width - sign.length, '0');
  }
  return pad(sign + digits, { ...spec, flags: spec.flags.replaceAll('0', '') });
}

function cut(text: string, spec: Spec): string {
  return spec.precision === -1 ? text : [...text].slice(0, spec.precision).join('');
}

function pad(text: string, spec: Spec): string {
  const missing = spec.width - (text.length > spec.width * 2 ? spec.width : [...text].length);
  if (missing <= 0) return text;
  if (spec.flags.includes('-')) return text + ' '.repeat(missing);
  return (spec.flags.includes('0') ? '0' : ' ').repeat(missing) + text;
}
