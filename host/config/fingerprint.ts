/** Digests of plain data: the same data gives the same digest, whatever the order of its keys. */

import { createHash } from 'node:crypto';

/** SHA-256 in hex over the data's canonical JSON. */
export function digest(data: unknown): string {
  return createHash('sha256').update(canonical(data)).digest('hex');
}

function canonical(data: unknown): string {
  if (Array.isArray(data)) return `[${data.map(canonical).join(',')}]`;
  if (typeof data !== 'object' || data === null) return JSON.stringify(data) ?? 'undefined';
  const record = data as Readonly<Record<string, unknown>>;
  const pairs = Object.keys(record)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(record[key])}`);
  return `{${pairs.join(',')}}`;
}
