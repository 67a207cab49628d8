/** What a filter looked at in an event, in words: each field that it names, with its value. Pure. */

import type { Mapping } from '../config/mapping.ts';
import type { EventRead } from './recording-line.ts';

const FIELD =
  /\bevent\s*\.\s*\??\s*([A-Za-z]\w*)(?:\s*\.\s*\??\s*(\w+)(?!\w*\s*\()|\s*\[\s*["']([^"']{1,100})["']\s*\])?/g;
const TEXTS: ReadonlySet<string> = new Set(['resourceName', 'namespace', 'reason', 'message']);
const MAX_FIELDS = 6;
const MAX_VALUE = 80;

/** Each as `event.reason is "Killing"`. */
export function filterSight(filter: string, event: EventRead, mapping: Mapping | undefined): string[] {
  const line = membersOf(event.line);
  const known: Readonly<Record<string, unknown>> = {
    type: event.type,
    source: event.source,
    internalType: mapping?.internalType ?? event.internalType,
    severity: mapping?.severity ?? '',
    timestamp: line.timestamp ?? new Date(event.receivedAt).toISOString(),
    tags: { ...mapping?.tags, ...objectOf(line.tags) },
    metadata: objectOf(line.metadata),
  };
  const seen = new Map<string, string>();
  for (const [, field = '', dotted, quoted] of filter.matchAll(FIELD)) {
    const isMap = field === 'tags' || field === 'metadata';
    if (!isMap && !TEXTS.has(field) && !Object.hasOwn(known, field)) continue;
    const key = isMap ? (dotted ?? quoted) : undefined;
    const name = `event.${field}${key === undefined ? '' : `.${key}`}`;
    const whole = Object.hasOwn(known, field) ? known[field] : (line[field] ?? '');
    seen.set(name, key === undefined ? shown(whole) : memberShown(objectOf(whole), key));
    if (seen.size === MAX_FIELDS) break;
  }
  return [...seen].map(([name, value]) => `${name} ${value}`);
}

function memberShown(members: Readonly<Record<string, unknown>>, key: string): string {
  return Object.hasOwn(members, key) ? shown(members[key]) : 'is missing';
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return `is ${text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text}`;
}

function membersOf(line: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(line));
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
