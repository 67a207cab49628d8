/** What a schema says about one path: both bounds, the type, the keys. Every zod schema is looked at in its JSON Schema form, whoever made it. */

import * as z from 'zod';
import type { YamlPath } from './place.ts';

/** The part of JSON Schema that messages are made of. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly prefixItems?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

const roots = new WeakMap<z.ZodType, SchemaNode>();

/** All nodes that may describe `path`; several where the schema has alternatives, none where it says nothing. */
export function nodesAt(schema: z.ZodType, path: YamlPath): readonly SchemaNode[] {
  const root = rootOf(schema);
  let nodes = alternatives(root, root);
  for (const step of path) {
    nodes = nodes.flatMap((node) => childrenOf(node, step)).flatMap((child) => alternatives(child, root));
  }
  return nodes;
}

/** The keys the schema knows below `path`. */
export function keysAt(schema: z.ZodType, path: YamlPath): readonly string[] {
  return nodesAt(schema, path).flatMap((node) => Object.keys(node.properties ?? {}));
}

function rootOf(schema: z.ZodType): SchemaNode {
  const known = roots.get(schema);
  if (known !== undefined) return known;
  let root: SchemaNode = {};
  try {
    root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', cycles: 'ref' }) as SchemaNode;
  } catch {
    // A schema that has no JSON form still checks values; its messages only know less.
  }
  roots.set(schema, root);
  return root;
}

function childrenOf(node: SchemaNode, step: string | number): readonly SchemaNode[] {
  if (typeof step === 'number') return present(node.prefixItems?.[step] ?? node.items);
  if (node.properties !== undefined && Object.hasOwn(node.properties, step)) return present(node.properties[step]);
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
}

/** A node as its branches: references followed, `anyOf`, `oneOf` and `allOf` opened. */
function alternatives(node: SchemaNode, root: SchemaNode, depth = 0): readonly SchemaNode[] {
  if (depth > 16) return [];
  const branches = [
    ...(node.anyOf ?? []),
    ...(node.oneOf ?? []),
    ...(node.allOf ?? []),
    ...present(resolve(node.$ref, root)),
  ];
  return [node, ...branches.flatMap((branch) => alternatives(branch, root, depth + 1))];
}

function resolve(reference: string | undefined, root: SchemaNode): SchemaNode | undefined {
  if (reference === undefined) return undefined;
  if (reference === '#') return root;
  return root.$defs?.[reference.replace(/^#\/\$defs\//, '')];
}

function present(node: SchemaNode | undefined): readonly SchemaNode[] {
  return node === undefined ? [] : [node];
}
