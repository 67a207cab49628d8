// Runs in a pool thread.
/**
 * A line as it stands in a recording: the members of a JSON object, without its braces. What the event says stands under the
 * names of its fields, in the order it came in; a line that is no event, or that these fields could not give back to the letter,
 * stands as text under `line`.
 */

import { redactText } from '../base/redact.ts';
import { safeRecord } from './text-cap.ts';

/** What a line of a frame may have, and all that judging looks at. */
export const EVENT_FIELDS = [
  'resourceName',
  'message',
  'namespace',
  'reason',
  'timestamp',
  'metadata',
  'tags',
] as const;

const KNOWN: ReadonlySet<string> = new Set(EVENT_FIELDS);
const NO_CAP = Number.MAX_SAFE_INTEGER;

/** Not `isRaw`: what looks like a secret is taken out, and `redacted` says where that changed something. */
export function transcribe(line: string, isRaw: boolean): string {
  const event = parseEvent(line);
  if (isRaw) return event?.text === line ? event.text.slice(1, -1) : asText(line);
  if (event === null) {
    const safe = redactText(line);
    return safe === line ? asText(line) : `${asText(safe)},"redacted":true`;
  }
  const safe = JSON.stringify(safeRecord(event.fields, NO_CAP));
  return safe === event.text ? safe.slice(1, -1) : `${safe.slice(1, -1)},"redacted":true`;
}

function asText(line: string): string {
  return `"line":${JSON.stringify(line)}`;
}

/** The lines at `indices` of a frame's text of `count` events. Lines too many belong to the last event, as the judge has it. */
export function linesAt(lines: string, indices: readonly number[], count: number): string[] {
  const all = lines.split('\n');
  return indices.map((index) => (index === count - 1 ? all.slice(index).join('\n') : (all[index] ?? '')));
}

/** Null for what is no object, or has other members than an event. */
function parseEvent(line: string): { readonly fields: Record<string, unknown>; readonly text: string } | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const keys = Object.keys(value);
    if (keys.length === 0 || !keys.every((key) => KNOWN.has(key))) return null;
    return { fields: value as Record<string, unknown>, text: JSON.stringify(value) };
  } catch {
    return null;
  }
}
