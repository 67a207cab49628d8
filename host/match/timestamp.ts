/** RFC 3339 as Go reads and writes it. */

const RFC3339 = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const SHOWN_LENGTH = 64;

/** What is wrong with a timestamp, or null. */
export function rfc3339Fault(value: unknown): string | null {
  if (typeof value === 'string' && RFC3339.test(value) && isDay(value)) return null;
  const got = typeof value === 'string' ? `'${value.slice(0, SHOWN_LENGTH)}'` : typeof value;
  return `timestamp must be RFC 3339 such as 2026-01-02T03:04:05Z, got ${got}`;
}

/** Without the fraction of a second, the offset kept: Go's time.RFC3339. */
export function toSeconds(timestamp: string): string {
  return timestamp.replace(/\.\d+/, '');
}

/** Seconds precision, UTC. */
export function formatWall(unixMs: number): string {
  return toSeconds(new Date(unixMs).toISOString());
}

/** The pattern has made sure of the digits. */
function isDay(timestamp: string): boolean {
  const month = twoDigits(timestamp, 5);
  const day = twoDigits(timestamp, 8);
  if (month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  const year = Number(timestamp.slice(0, 4));
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month === 2) return day === 29 && isLeap;
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
}
