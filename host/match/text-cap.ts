/** Makes text that came from outside fit to be shown: secrets are taken out, and it is cut, visibly, never between the two halves of a character. */

import { isNamedSecret, isSecretName, redactText, redactValue } from '../base/redact.ts';

/** At most `limit` UTF-16 units of the text, and a mark that says how many are gone. */
export function capText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = isHighSurrogate(text.charCodeAt(limit - 1)) ? limit - 1 : limit;
  return `${text.slice(0, end)}… [cut, ${text.length - end} characters more]`;
}

/** Secrets first: a cut one would not be known any more. */
export function safeText(text: string, limit: number): string {
  return capText(redactText(text), limit);
}

const MAX_DEPTH = 100;

/** The same for every text inside a JSON value. Keys are data too. What is nested too deep is cut as a whole. */
function safeValue(value: unknown, limit: number, depth: number): unknown {
  if (typeof value === 'string') return safeText(value, limit);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '… [cut, nested too deep]';
  if (Array.isArray(value)) return value.map((item) => safeValue(item, limit, depth + 1));
  return safeRecord(value as Record<string, unknown>, limit, depth);
}

/** The result has no prototype, so that no key of the data can mean anything but itself. */
export function safeRecord(
  record: Readonly<Record<string, unknown>>,
  limit: number,
  depth = 0,
): Record<string, unknown> {
  const safe: Record<string, unknown> = Object.create(null);
  const isNamed = isNamedSecret(record);
  for (const key of Object.keys(record)) {
    const value = record[key];
    const isSecret = isSecretName(key) || (isNamed && key === 'value');
    safe[safeText(key, limit)] = isSecret
      ? redactValue(isNamed ? 'token' : key, value)
      : safeValue(value, limit, depth + 1);
  }
  return safe;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
