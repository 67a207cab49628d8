/** The values of the chart as documentation, from values.yaml and the comments in it. */

import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

export interface ChartValue {
  /** `image.tag`. */
  readonly path: string;
  /** As one would write it, on one line. */
  readonly default: string;
  readonly description: string;
}

/** In the order of the file. Throws when a value has no comment: then nobody can know what it is for. */
export function chartValues(text: string): ChartValue[] {
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new Error('values.yaml is no map');
  return valuesOf(document.contents, '', text);
}

/** A value with a comment is one row, whatever is in it; one without is a group of values. */
function valuesOf(map: YAMLMap, path: string, text: string): ChartValue[] {
  return map.items.flatMap((pair) => {
    const own = path === '' ? keyOf(pair) : `${path}.${keyOf(pair)}`;
    const description = commentAbove(pair, text);
    if (description !== '') return [{ path: own, default: flow(pair, text), description }];
    if (isMap(pair.value) && pair.value.items.length > 0) return valuesOf(pair.value, own, text);
    throw new Error(`value ${own} has no comment above it`);
  });
}

/** Read from the text: the library gives the comment of a group's first value to the group. */
function commentAbove(pair: Pair, text: string): string {
  const from = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
  const above = text.slice(0, from).split('\n').slice(0, -1);
  const found: string[] = [];
  for (let line = above.pop()?.trim(); line?.startsWith('#'); line = above.pop()?.trim()) {
    found.unshift(line.slice(1).trim());
  }
  return found.join(' ');
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : '';
}

function flow({ value }: Pair, text: string): string {
  if (isMap(value))
    return value.items.length === 0
      ? '{}'
      : `{ ${value.items.map((pair) => `${keyOf(pair)}: ${flow(pair, text)}`).join(', ')} }`;
  const [from = 0, to = 0] = (value as { range?: [number, number] } | null)?.range ?? [];
  return text.slice(from, to).replaceAll(/\s+/g, ' ').trim();
}

/** `doc` with the table of the values in place of the one that stands under its heading. */
export function withTable(doc: string, valuesText: string): string {
  const table = /(?<=\n## Values\n[^#]*?)\n\|(?:.*\|\n)+/;
  if (!table.test(doc)) throw new Error('there is no table under the heading Values');
  return doc.replace(table, () => `\n${valuesTable(chartValues(valuesText))}\n`);
}

function valuesTable(values: readonly ChartValue[]): string {
  const cell = (content: string): string => content.replaceAll('|', '\\|');
  const rows = values.map((value) => `| \`${value.path}\` | \`${cell(value.default)}\` | ${cell(value.description)} |`);
  return ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
