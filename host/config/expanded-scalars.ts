/**
 * A variable is text, a setting has a type. `${TOKEN}` = 123 was read as a number; where the schema wants a string it becomes text again,
 * and `${RATIO}` = 1.0, which was left as text, becomes a number where one is wanted. Only for values that were one placeholder.
 */

import type * as z from 'zod';
import { isLonePlaceholder, readScalar } from './expand.ts';
import { type Place, valueAt, type YamlPath } from './place.ts';

interface Refused {
  readonly value: unknown;
  readonly issues: readonly z.core.$ZodIssue[];
  readonly place: Place;
}

/** A copy with the other reading where it passes, else `value` itself. */
export function rereadAsWanted(schema: z.ZodType, { value, issues, place }: Refused): unknown {
  let current = value;
  for (const { path } of issues) {
    const at = path as YamlPath;
    if (!isLonePlaceholder(valueAt(place.document?.value, [...place.basePath, ...at]))) continue;
    const held = valueAt(current, at);
    const other = otherReading(held);
    if (other === held) continue;
    const attempt = replaced(current, at, other);
    const result = schema.safeParse(attempt);
    if (result.success || !result.error.issues.some((issue) => isSamePath(issue.path as YamlPath, at)))
      current = attempt;
  }
  return current;
}

function otherReading(held: unknown): unknown {
  if (typeof held === 'string') return readScalar(held);
  return typeof held === 'number' || typeof held === 'boolean' || held === null ? String(held) : held;
}

function replaced(value: unknown, path: YamlPath, leaf: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return leaf;
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? replaced(item, rest, leaf) : item));
  if (typeof value !== 'object' || value === null) return value;
  const copy = { ...value } as Record<string, unknown>;
  copy[String(step)] = replaced(copy[String(step)], rest, leaf);
  return copy;
}

function isSamePath(a: YamlPath, b: YamlPath): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}
