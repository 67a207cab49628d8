/** Where in the text a path of a YAML document stands. */

import { type Document, isAlias, isMap, isSeq, type Node } from 'yaml';
import type { YamlPath } from './place.ts';
import { type AliasTargets, keyOf } from './yaml-plain.ts';

export interface PositionedDocument {
  readonly document: Document.Parsed;
  readonly targets: AliasTargets;
}

/** Offset of the value at `path` (of its key, when asked), else of the nearest ancestor that exists. */
export function offsetOf(
  { document, targets }: PositionedDocument,
  path: YamlPath,
  part: 'key' | 'value' = 'value',
): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? document.range[0];
  for (const [depth, step] of path.entries()) {
    // What an alias stands for has its own place in the text, and that is where the user has to look.
    if (isAlias(node)) node = targets.get(node);
    let keyOffset: number | null = null;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyOf(key) === String(step));
      if (pair === undefined) return offset;
      keyOffset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      node = node.items[step];
    } else {
      return offset;
    }
    const isLast = depth === path.length - 1;
    offset = (isLast && part === 'key' ? keyOffset : null) ?? startOf(node) ?? keyOffset ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | null {
  return (node as Node | null | undefined)?.range?.[0] ?? null;
}
