/** What the admin API takes, and how it says what is wrong with it. */

import { z } from 'zod';
import { LOG_LEVELS } from '../telemetry/log-level.ts';
import type { TestEvent } from './view.ts';

const word = (max: number): z.ZodString => z.string().min(1).max(max);

const testEvent = z.strictObject({
  source: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be the name of a plugin (a-z, 0-9, -)'),
  type: word(256),
  resourceName: word(1_024),
  message: word(32_768),
  namespace: z.string().max(253).optional(),
  reason: z.string().max(256).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  tags: z.record(z.string(), z.string().max(1_024)).optional(),
});

const logLevel = z.strictObject({
  level: z.enum(LOG_LEVELS),
  plugin: word(64).nullish(),
});

export type Parsed<T> = { readonly value: T } | { readonly error: string };

export function parseTestEvent(body: unknown): Parsed<TestEvent> {
  // An optional key is absent or has a value: zod says `| undefined`, JSON cannot.
  return parse(testEvent as unknown as z.ZodType<TestEvent>, body);
}

export function parseLogLevel(body: unknown): Parsed<z.infer<typeof logLevel>> {
  return parse(logLevel, body);
}

function parse<T>(schema: z.ZodType<T>, body: unknown): Parsed<T> {
  const result = schema.safeParse(body);
  if (result.success) return { value: result.data };
  return {
    error: result.error.issues
      .slice(0, 10)
      .map((issue) => inWords(issue, body))
      .join('; '),
  };
}

function inWords(issue: z.core.$ZodIssue, body: unknown): string {
  const path = issue.path.map(String);
  const where = path.length === 0 ? 'the body' : `'${path.join('.')}'`;
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], body);
  const got = value === undefined ? 'it is missing' : `got ${JSON.stringify(value).slice(0, 60)}`;
  switch (issue.code) {
    case 'unrecognized_keys':
      return `${where} has no key ${issue.keys.map((key) => `'${key.slice(0, 50)}'`).join(', ')}`;
    case 'invalid_type':
      return `${where} must be ${article(issue.expected)}, ${got}`;
    case 'invalid_value':
      return `${where} must be one of ${issue.values.join(', ')}, ${got}`;
    case 'too_small':
      return `${where} cannot be empty`;
    case 'too_big':
      return `${where} may have at most ${issue.maximum} characters`;
    default:
      return `${where} ${issue.message}, ${got}`;
  }
}

function article(type: string): string {
  if (type === 'object' || type === 'record') return 'an object';
  return `a ${type}`;
}
