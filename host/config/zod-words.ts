/** One zod issue as a sentence in the words of the troubleshooting guide. Pure. */

import type * as z from 'zod';
import type { SchemaNode } from './schema-node.ts';
import { didYouMean } from './suggest.ts';

export interface IssueView {
  readonly issue: z.core.$ZodIssue;
  /** `configuration 'port'`. */
  readonly name: string;
  /** The value that was refused; undefined when there is none. */
  readonly value: unknown;
  /** It was written with a placeholder, so it may be a secret and is not shown. */
  readonly isHidden: boolean;
  readonly nodes: readonly SchemaNode[];
}

export interface Words {
  readonly message: string;
  readonly fix: string;
}

/** For every issue but unknown keys and unions, which are several sentences. */
export function wordsOf(view: IssueView): Words {
  const { issue, name, value } = view;
  // A schema's own message is the second half of the sentence; zod's own never begin so.
  if (/^(must|cannot) /.test(issue.message))
    return { message: `${name} ${view.isHidden ? withoutValue(issue.message) : issue.message}`, fix: unitFix(view) };
  switch (issue.code) {
    case 'invalid_type':
      return mustBe(view, [expectedType(issue.expected, view.nodes)]);
    case 'invalid_value':
      return mustBeOneOf(view, issue.values.map(String));
    case 'too_small':
    case 'too_big':
      return outOfRange(
        view,
        issue.origin,
        issue.code === 'too_small' ? { least: limitOf(issue) } : { most: limitOf(issue) },
      );
    case 'not_multiple_of':
      return say(`${name} must be a multiple of ${issue.divisor}, got ${show(view)}`);
    case 'invalid_format': {
      if (value === '') return say(`${name} cannot be empty`);
      const form =
        issue.format === 'regex'
          ? `match ${issue.pattern ?? 'the pattern of its schema'}`
          : `be a valid ${issue.format}`;
      return say(`${name} must ${form}, got ${show(view)}`);
    }
    case 'custom':
      return say(issue.message === 'Invalid input' ? `${name} is not valid, got ${show(view)}` : issue.message);
    default:
      return say(`${name} is not valid: ${issue.message}`);
  }
}

/** A bare number is no duration. */
function unitFix({ issue, value, isHidden }: IssueView): string {
  const isBare = /^\d+(\.\d+)?$/.test(String(value)) && /^must be a duration such as/.test(issue.message);
  return isBare && !isHidden ? `write the unit: '${value}s' for seconds, '${value}m' for minutes` : '';
}

/** `must be an integer, got string`, for one or several types that would do. */
export function mustBe(view: IssueView, expected: readonly string[]): Words {
  const { name, value } = view;
  if (value === undefined) return say(`required ${name} is missing`);
  const known = [...new Set(expected)];
  const isFraction = typeof value === 'number' && known.every((type) => type === 'integer' || type === 'int');
  const got = isFraction && !view.isHidden ? String(value) : typeName(value);
  const isSpoken =
    typeof value === 'string' && known.includes('boolean') && /^(yes|no|on|off|true|false)$/i.test(value);
  return {
    message: `${name} must be ${known.map(withArticle).join(' or ')}, got ${got}`,
    fix: isSpoken ? 'write true or false, without quotes' : '',
  };
}

export function mustBeOneOf(view: IssueView, choices: readonly string[]): Words {
  const { name, value } = view;
  if (value === undefined) return say(`required ${name} is missing`);
  const listed = choices.slice(0, 30).join(', ');
  const expected = choices.length === 1 ? listed : `one of: ${listed}`;
  return { message: `${name} must be ${expected}, got ${show(view)}`, fix: choiceFix(view, choices) };
}

function choiceFix({ value, isHidden }: IssueView, choices: readonly string[]): string {
  if (typeof value !== 'string' || isHidden) return '';
  return choices.includes(value) ? `write ${value}, without quotes` : didYouMean(value, choices);
}

interface Limit {
  readonly value: number;
  readonly isInclusive: boolean;
}

function limitOf(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): Limit {
  const value = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  return { value, isInclusive: issue.inclusive !== false };
}

function outOfRange(view: IssueView, origin: string, issued: { least?: Limit; most?: Limit }): Words {
  const { name, value } = view;
  if (origin === 'string' || origin === 'array' || origin === 'set' || origin === 'map' || origin === 'object') {
    const unit = origin === 'string' ? 'characters' : origin === 'object' || origin === 'map' ? 'keys' : 'items';
    const size = sizeOf(value);
    if (size === 0) return say(`${name} cannot be empty`);
    const bound = issued.least === undefined ? `at most ${issued.most?.value}` : `at least ${issued.least.value}`;
    return say(`${name} must have ${bound} ${unit}, got ${size}`);
  }
  const least = issued.least ?? bestLimit(view.nodes, 'least');
  const most = issued.most ?? bestLimit(view.nodes, 'most');
  return say(`${name} must be ${rangeText(least, most)}, got ${show(view)}`);
}

function rangeText(least: Limit | undefined, most: Limit | undefined): string {
  if (least?.isInclusive && most?.isInclusive) return `between ${least.value} and ${most.value}`;
  const parts = [
    ...(least === undefined ? [] : [`${least.isInclusive ? 'at least' : 'greater than'} ${least.value}`]),
    ...(most === undefined ? [] : [`${most.isInclusive ? 'at most' : 'less than'} ${most.value}`]),
  ];
  return parts.join(' and ');
}

/** The other bound, from the schema. The bounds zod gives every integer are no one's intention. */
function bestLimit(nodes: readonly SchemaNode[], side: 'least' | 'most'): Limit | undefined {
  for (const node of nodes) {
    const inclusive = side === 'least' ? node.minimum : node.maximum;
    const exclusive = side === 'least' ? node.exclusiveMinimum : node.exclusiveMaximum;
    if (inclusive !== undefined && Math.abs(inclusive) < Number.MAX_SAFE_INTEGER)
      return { value: inclusive, isInclusive: true };
    if (exclusive !== undefined && Math.abs(exclusive) < Number.MAX_SAFE_INTEGER)
      return { value: exclusive, isInclusive: false };
  }
  return undefined;
}

/** zod says `number` of an integer that JSON Schema made, so the schema has the last word. */
export function expectedType(expected: string, nodes: readonly SchemaNode[]): string {
  const types = new Set(nodes.flatMap((node) => node.type ?? []));
  if (expected === 'number' && types.has('integer') && !types.has('number')) return 'integer';
  return expected;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'an integer',
  integer: 'an integer',
  number: 'a number',
  nan: 'a number',
  string: 'a string',
  boolean: 'a boolean',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function withArticle(type: string): string {
  return TYPE_NAMES[type] ?? type;
}

/** What a value is, in the words of YAML: `string`, `list`, `object`, `null`. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value;
}

function show({ value, isHidden }: IssueView): string {
  if (isHidden) return `${typeName(value)} from a placeholder`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`;
  return typeName(value);
}

/** The half sentences of schemas end in what they got. */
function withoutValue(message: string): string {
  return message.replace(/, got .*$/s, ', got text from a placeholder');
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

function say(message: string): Words {
  return { message, fix: '' };
}
