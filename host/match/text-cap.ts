/** Cuts text that came from outside, visibly, and never between the two halves of a character. */

/** At most `limit` UTF-16 units of the text, and a mark that says how many are gone. */
export function capText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = isHighSurrogate(text.charCodeAt(limit - 1)) ? limit - 1 : limit;
  return `${text.slice(0, end)}… [cut, ${text.length - end} characters more]`;
}

const MAX_DEPTH = 100;

/** The same for every text inside a JSON value. Keys are data too. What is nested too deep is cut as a whole. */
export function capValue(value: unknown, limit: number, depth = 0): unknown {
  if (typeof value === 'string') return capText(value, limit);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '… [cut, nested too deep]';
  if (Array.isArray(value)) return value.map((item) => capValue(item, limit, depth + 1));
  return capRecord(value as Record<string, unknown>, limit, depth);
}

/** The result has no prototype, so that no key of the data can mean anything but itself. */
export function capRecord(
  record: Readonly<Record<string, unknown>>,
  limit: number,
  depth = 0,
): Record<string, unknown> {
  const capped: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(record)) capped[capText(key, limit)] = capValue(record[key], limit, depth + 1);
  return capped;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
