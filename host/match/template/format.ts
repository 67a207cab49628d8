/** Go's `%v`, `%q` and JSON of a value. Bounded: depth by a limit, text by the meter. */

import type { Meter } from './meter.ts';
import { isMap, ownProperty, sortedKeys } from './value.ts';

const MAX_DEPTH = 100;

/** `%v`: what print shows. Nil is `<nil>`. */
export function formatValue(value: unknown, meter: Meter, depth = 0): string {
  meter.spend(1);
  if (depth > MAX_DEPTH) meter.fail(`a value is nested more than ${MAX_DEPTH} deep`);
  if (typeof value === 'string') {
    meter.spendText(value.length);
    return value;
  }
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => formatValue(item, meter, depth + 1)).join(' ')}]`;
  if (isMap(value)) {
    const pairs = sortedKeys(value).map((key) => `${key}:${formatValue(ownProperty(value, key), meter, depth + 1)}`);
    return `map[${pairs.join(' ')}]`;
  }
  return '<nil>';
}

/** What an action prints: nil is `<no value>`. */
export function printed(value: unknown, meter: Meter): string {
  return value === null || value === undefined ? '<no value>' : formatValue(value, meter);
}

/** Go's shortest form; an exponent below -4 or above 5 is written out. */
export function formatNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const exponential = value.toExponential();
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1));
  if (exponent >= -4 && exponent <= 5) return String(value);
  return withGoExponent(exponential);
}

/** `1e+6` → `1e+06` */
export function withGoExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

const QUOTE_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** Go's strconv.Quote. */
export function quoteText(text: string, meter: Meter): string {
  meter.spendText(text.length * 2);
  const body = text.replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (character) => {
    const simple = QUOTE_ESCAPES[character];
    if (simple !== undefined) return simple;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${body}"`;
}

/** Compact JSON with sorted keys. Unlike Go's encoder it leaves `<`, `>` and `&` readable: a prompt is not a web page. */
export function formatJson(value: unknown, meter: Meter, depth = 0): string {
  meter.spend(1);
  if (depth > MAX_DEPTH) meter.fail(`a value is nested more than ${MAX_DEPTH} deep`);
  if (Array.isArray(value)) return `[${value.map((item) => formatJson(item, meter, depth + 1)).join(',')}]`;
  if (isMap(value)) {
    const pairs = sortedKeys(value).map(
      (key) => `${JSON.stringify(key)}:${formatJson(ownProperty(value, key), meter, depth + 1)}`,
    );
    return `{${pairs.join(',')}}`;
  }
  if (typeof value === 'string') meter.spendText(value.length);
  return JSON.stringify(value ?? null) ?? 'null';
}
