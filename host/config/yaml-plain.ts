/**
 * A YAML document as plain JS data. Written here rather than taken from the library because the input is not trusted: aliases are
 * copied under one budget (no bombs, no cycles), depth is bounded, and a `__proto__` key becomes an own property and nothing else.
 */

import { type Alias, type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';

const MAX_VALUES = 100_000;
const MAX_DEPTH = 64;

/** Something that is YAML but not configuration. */
export class UnusableNode extends Error {
  readonly offset: number;

  constructor(message: string, node: Node | null) {
    super(message);
    this.name = 'UnusableNode';
    this.offset = node?.range?.[0] ?? 0;
  }
}

/** What each alias stands for. */
export type AliasTargets = ReadonlyMap<Alias, Node>;

export interface PlainDocument {
  readonly value: unknown;
  readonly targets: AliasTargets;
}

/** Throws UnusableNode. */
export function toPlain(document: Document.Parsed): PlainDocument {
  let budget = MAX_VALUES;
  // The library's own `resolve` walks the whole document for every alias: minutes for a file of 1 MiB. The walk below is in document
  // order, so the last anchor of a name is the right one; what a copied subtree refers to was settled when it was met first.
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();

  const plain = (node: unknown, depth: number, isCopy: boolean): unknown => {
    const where = node as Node | null;
    budget -= 1;
    if (budget < 0) throw new UnusableNode(`more than ${MAX_VALUES} values, aliases counted each time`, where);
    if (depth > MAX_DEPTH)
      throw new UnusableNode(`nested deeper than ${MAX_DEPTH} levels, or an alias of itself`, where);
    if (isAlias(node)) {
      const target = targets.get(node) ?? anchors.get(node.source);
      if (target === undefined)
        throw new UnusableNode(`alias *${node.source} has no anchor &${node.source} before it`, where);
      targets.set(node, target);
      return plain(target, depth + 1, true);
    }
    if (!isCopy && isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
    if (isSeq(node)) return node.items.map((item) => plain(item, depth + 1, isCopy));
    if (isMap(node)) {
      const record: Record<string, unknown> = {};
      for (const { key, value } of node.items) {
        const name = keyOf(key);
        if (name === null)
          throw new UnusableNode('a key must be a plain word, not a list or an object', key as Node | null);
        if (Object.hasOwn(record, name))
          throw new UnusableNode(`the key '${name.slice(0, 80)}' stands twice`, key as Node | null);
        // defineProperty: an assignment to `__proto__` would replace the prototype.
        Object.defineProperty(record, name, {
          value: plain(value, depth + 1, isCopy),
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
      return record;
    }
    return isScalar(node) ? node.value : null;
  };

  return { value: plain(document.contents, 0, false), targets };
}

/** The text of a key; null when it is a collection or an alias. */
export function keyOf(key: unknown): string | null {
  if (!isScalar(key)) return key === null ? '' : null;
  return key.value === null ? '' : String(key.value);
}
