/** Every key that a zod schema knows, with what it says about it: for tests that hold documentation and effects against the schema. */

import type * as z from 'zod';
import type { $ZodIssue, $ZodType } from 'zod/v4/core';

export interface SchemaKey {
  /** `delivery.attempts`, `eventConfigurations[].prompt`. */
  readonly path: string;
  readonly description: string;
  /** As written in YAML; undefined: none. */
  readonly default: unknown;
  /** `1 to 100`, `10ms to 10m`; empty: none. */
  readonly bounds: string;
  /** It holds no further keys. */
  readonly isLeaf: boolean;
}

/** In the order of the schema, parents before their children. */
export function schemaKeys(schema: $ZodType, path = ''): SchemaKey[] {
  return Object.entries(shapeOf(schema)).flatMap(([key, child]) => {
    const list = elementOf(child);
    const own = path === '' ? key : `${path}.${key}`;
    const below = schemaKeys(list ?? child, list === null ? own : `${own}[]`);
    const described = { description: read(child, 'description'), default: defaultOf(child), bounds: boundsOf(child) };
    return [{ path: own, ...described, isLeaf: below.length === 0 }, ...below];
  });
}

interface Def {
  readonly type: string;
  readonly innerType?: $ZodType;
  readonly in?: $ZodType;
  readonly options?: readonly $ZodType[];
  readonly shape?: Record<string, $ZodType>;
  readonly element?: $ZodType;
  readonly defaultValue?: unknown;
}

function defOf(schema: $ZodType): Def {
  return schema._zod.def as unknown as Def;
}

/** The schema itself and what it is wrapped around, from the outside in. */
function layers(schema: $ZodType): $ZodType[] {
  const { innerType, in: input, type } = defOf(schema);
  const inner = innerType ?? (type === 'pipe' ? input : undefined);
  return inner === undefined ? [schema] : [schema, ...layers(inner)];
}

function shapeOf(schema: $ZodType): Record<string, $ZodType> {
  const core = layers(schema).at(-1);
  if (core === undefined) return {};
  const { shape, options } = defOf(core);
  return shape ?? Object.assign({}, ...(options ?? []).map(shapeOf));
}

function elementOf(schema: $ZodType): $ZodType | null {
  const core = layers(schema).at(-1);
  return (core === undefined ? undefined : defOf(core).element) ?? null;
}

function read(schema: $ZodType, key: 'description'): string {
  for (const layer of layers(schema)) {
    const text = (layer as z.ZodType)[key];
    if (text !== undefined) return text;
  }
  return '';
}

function defaultOf(schema: $ZodType): unknown {
  return layers(schema)
    .map((layer) => defOf(layer).defaultValue)
    .find((value) => value !== undefined);
}

/** Asked of the schema itself: what it says to values that are far too small and far too large. */
function boundsOf(schema: $ZodType): string {
  const issues = [-1e15, 1e15, '0ns', '9999999h'].flatMap((value) => {
    const result = (schema as z.ZodType).safeParse(value);
    return result.success ? [] : result.error.issues;
  });
  const worded = issues
    .map(({ message }) => /must be between (\S+) and (\S+),/.exec(message))
    .find((match) => match !== null);
  if (worded) return `${worded[1]} to ${worded[2]}`;
  const [least, most] = [edge(issues, 'too_small', 'minimum'), edge(issues, 'too_big', 'maximum')];
  return least === null || most === null ? '' : `${least} to ${most}`;
}

function edge(issues: readonly $ZodIssue[], code: string, key: string): number | null {
  const values = issues
    .filter((issue) => issue.code === code && (issue as { origin?: unknown }).origin !== 'string')
    .map((issue) => Number((issue as unknown as Record<string, unknown>)[key]))
    .filter((value) => Number.isFinite(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER);
  return values[0] ?? null;
}
