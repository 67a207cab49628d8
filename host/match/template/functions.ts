/**
 * The functions a prompt may call: those of text/template that make sense for text, and the few of Helm that people reach for.
 * `and` and `or` are the evaluator's, because they do not evaluate all of their arguments.
 */

import { isEqual, order } from './compare.ts';
import { formatJson, formatValue, quoteText } from './format.ts';
import type { Meter } from './meter.ts';
import { formatPrintf } from './printf.ts';
import { isInteger, isMap, isNothing, isTrue, ownProperty, typeName } from './value.ts';

export interface TemplateFunction {
  readonly least: number;
  /** Null: any number of arguments. */
  readonly most: number | null;
  /** Stops at the first argument that is (`true`) or is not (`false`) true; null evaluates all. */
  readonly stopsAt: boolean | null;
  apply(args: readonly unknown[], meter: Meter): unknown;
}

type Apply = TemplateFunction['apply'];

function takes(least: number, most: number | null, apply: Apply): TemplateFunction {
  return { least, most, stopsAt: null, apply };
}

function text(value: unknown, name: string, meter: Meter): string {
  if (typeof value === 'string') return value;
  return meter.fail(`${name} expects a string, got ${typeName(value)}`);
}

const compare =
  (accept: (order: number) => boolean): Apply =>
  ([left, right], meter) =>
    accept(order(left, right, meter));

const last: Apply = (args) => args.at(-1);

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['and', { least: 1, most: null, stopsAt: false, apply: last }],
  ['or', { least: 1, most: null, stopsAt: true, apply: last }],
  ['not', takes(1, 1, ([value]) => !isTrue(value))],
  ['eq', takes(2, null, ([first, ...others], meter) => others.some((other) => isEqual(first, other, meter)))],
  ['ne', takes(2, 2, ([left, right], meter) => !isEqual(left, right, meter))],
  [
    'lt',
    takes(
      2,
      2,
      compare((order) => order < 0),
    ),
  ],
  [
    'le',
    takes(
      2,
      2,
      compare((order) => order <= 0),
    ),
  ],
  [
    'gt',
    takes(
      2,
      2,
      compare((order) => order > 0),
    ),
  ],
  [
    'ge',
    takes(
      2,
      2,
      compare((order) => order >= 0),
    ),
  ],
  ['len', takes(1, 1, ([value], meter) => length(value, meter))],
  ['index', takes(1, null, ([value, ...keys], meter) => keys.reduce((at, key) => element(at, key, meter), value))],
  ['print', takes(0, null, (args, meter) => print(args, meter))],
  ['println', takes(0, null, (args, meter) => `${args.map((arg) => formatValue(arg, meter)).join(' ')}\n`)],
  ['printf', takes(1, null, ([format, ...args], meter) => formatPrintf(text(format, 'printf', meter), args, meter))],
  ['default', takes(1, 2, (args) => (args.length === 2 && isTrue(args[1]) ? args[1] : args[0]))],
  ['quote', takes(0, null, (args, meter) => quote(args, meter))],
  ['toJson', takes(1, 1, ([value], meter) => formatJson(value, meter))],
  ['upper', takes(1, 1, ([value], meter) => byCharacter(text(value, 'upper', meter), 'toUpperCase', meter))],
  ['lower', takes(1, 1, ([value], meter) => byCharacter(text(value, 'lower', meter), 'toLowerCase', meter))],
  ['trim', takes(1, 1, ([value], meter) => text(value, 'trim', meter).trim())],
]);

/** Why a name is not a function. */
export function functionFault(name: string): string {
  if (name === 'call') return 'call is not supported: event data has no functions';
  return `function ${JSON.stringify(name)} is not defined; there are ${[...FUNCTIONS.keys()].join(', ')}`;
}

/** Of a text in bytes, as Go counts. */
function length(value: unknown, meter: Meter): number {
  if (typeof value === 'string') {
    meter.spendText(value.length);
    return Buffer.byteLength(value);
  }
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  return meter.fail(`len of type ${typeName(value)}`);
}

function element(value: unknown, key: unknown, meter: Meter): unknown {
  if (isMap(value)) {
    if (typeof key !== 'string') meter.fail(`a map has string keys, got ${typeName(key)}`);
    return ownProperty(value, key);
  }
  if (!Array.isArray(value) && typeof value !== 'string') meter.fail(`cannot index a value of type ${typeName(value)}`);
  if (!isInteger(key)) meter.fail(`cannot index ${typeName(value)} with ${typeName(key)}`);
  if (typeof value === 'string') meter.spendText(value.length);
  const items: ArrayLike<unknown> = typeof value === 'string' ? Buffer.from(value) : value;
  if (key < 0 || key >= items.length) meter.fail(`index out of range: ${key} of ${items.length}`);
  return items[key];
}

/** Spaces stand between two operands of which neither is a text. */
function print(args: readonly unknown[], meter: Meter): string {
  return args.reduce<string>((line, arg, i) => {
    const gap = i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string' ? ' ' : '';
    return line + gap + formatValue(arg, meter);
  }, '');
}

function quote(args: readonly unknown[], meter: Meter): string {
  const present = args.filter((arg) => !isNothing(arg));
  return present.map((arg) => quoteText(formatValue(arg, meter), meter)).join(' ');
}

/** Go changes the case rune by rune: a character whose other case is longer stays. */
function byCharacter(value: string, change: 'toUpperCase' | 'toLowerCase', meter: Meter): string {
  meter.spendText(value.length * 4);
  return value.replace(/[\s\S]/gu, (character) => {
    const changed = character[change]();
    return [...changed].length === 1 ? changed : character;
  });
}
