/**
 * A JSON Schema as zod writes it, made into the structural schema that a CustomResourceDefinition may hold: every node has a type, there
 * are no alternatives, and unknown fields are the API server's business (it prunes them).
 */

/** A node of either kind. */
export interface Schema {
  readonly [key: string]: unknown;
}

/** What zod cannot say, by path (`spec.timeout`, `spec.eventConfigurations[]`): merged into the node. */
export type Additions = Readonly<Record<string, Schema>>;

/** Throws when a node has no structural form and no addition gives it a type, and when an addition has no node. */
export function structural(schema: unknown, additions: Additions = {}): Schema {
  const unused = new Set(Object.keys(additions));
  const made = convert(schema as Schema, '', { additions, unused });
  if (unused.size > 0) throw new Error(`nothing stands at ${[...unused].join(', ')}`);
  return made;
}

interface Run {
  readonly additions: Additions;
  readonly unused: Set<string>;
}

const ALTERNATIVES = ['anyOf', 'oneOf', 'allOf', '$ref', 'prefixItems', 'not'] as const;

function convert(raw: Schema, path: string, run: Run): Schema {
  const added = run.additions[path] ?? {};
  run.unused.delete(path);
  const node: Schema = { ...nullableChoice(stringUnion(raw)), ...added };
  const found = ALTERNATIVES.find((key) => key in node);
  if (found !== undefined)
    throw new Error(`${path || 'the root'}: ${found} has no structural form; write the field without it`);
  if (typeof node.type !== 'string') throw new Error(`${path || 'the root'} has no type; name one in the additions`);
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]): [string, unknown][] => {
      switch (key) {
        case 'additionalProperties':
          return openness(value as boolean | Schema, path, run);
        case 'properties':
          return [
            [
              key,
              mapValues(value as Schema, (child, name) => convert(child, path === '' ? name : `${path}.${name}`, run)),
            ],
          ];
        case 'items':
          return [[key, convert(value as Schema, `${path}[]`, run)]];
        // The API server checks the format itself, and more exactly.
        case 'pattern':
          return node.format === 'date-time' ? [] : [[key, value]];
        case 'minimum':
        case 'maximum':
          return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER ? [] : [[key, value]];
        default:
          return [[key, value]];
      }
    }),
  );
}

/** `false` is what the API server does anyway, and is not allowed beside properties. */
function openness(value: boolean | Schema, path: string, run: Run): [string, unknown][] {
  if (value === false) return [];
  if (value === true || Object.keys(value).length === 0) return [['x-kubernetes-preserve-unknown-fields', true]];
  return [['additionalProperties', convert(value, `${path}{}`, run)]];
}

/** The API server takes no null for a choice, not even one that has null in it; for a pattern it does. */
function nullableChoice(node: Schema): Schema {
  const { enum: words, ...rest } = node;
  if (node.nullable !== true || !Array.isArray(words)) return node;
  return { ...rest, pattern: `^(?:${words.map(literal).join('|')})$` };
}

/** Alternatives that are all strings, each of a few words or of a pattern, are one pattern. */
function stringUnion({ anyOf, ...rest }: Schema): Schema {
  if (anyOf === undefined) return rest;
  const patterns = (anyOf as readonly Schema[]).map(({ type, enum: words, pattern, ...others }) => {
    if (type !== 'string' || Object.keys(others).length > 0) return null;
    if (Array.isArray(words)) return words.map(literal).join('|');
    return typeof pattern === 'string' && /^\^.*\$$/.test(pattern) ? pattern.slice(1, -1) : null;
  });
  if (patterns.includes(null)) return { anyOf, ...rest };
  return { ...rest, type: 'string', pattern: `^(?:${patterns.join('|')})$` };
}

/** RegExp.escape would write letters as codes, which nobody can read in an error message. */
function literal(word: unknown): string {
  return String(word).replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function mapValues(object: Schema, change: (value: Schema, key: string) => Schema): Schema {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value as Schema, key)]));
}
