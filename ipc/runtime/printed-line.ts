// Runs in the plugin's thread.
/** A line that a logging library printed as JSON (pino, bunyan, winston), as the record that it is: its level, its text, its fields. */

import type { LogLevel } from '../messages.ts';

// Taken before a plugin, or a library in it, replaces them.
const { parse } = JSON;
const { isArray } = Array;

export interface PrintedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Record<string, unknown>;
}

/** By name, as winston has them, and pino with a formatter. */
const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['trace', 'debug'],
  ['silly', 'debug'],
  ['verbose', 'debug'],
  ['debug', 'debug'],
  ['http', 'info'],
  ['info', 'info'],
  ['notice', 'info'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['fatal', 'error'],
  ['crit', 'error'],
  ['alert', 'error'],
  ['emerg', 'error'],
]);

/** `level` is that of a line which is no record. Never throws. */
export function printedLine(level: LogLevel, text: string): PrintedLine {
  const plain = { level, message: text };
  if (!text.startsWith('{') || !text.endsWith('}') || !text.includes('"level":')) return plain;
  try {
    const record: unknown = parse(text);
    return (typeof record === 'object' && record !== null && !isArray(record) && readRecord(record)) || plain;
  } catch {
    return plain;
  }
}

function readRecord(record: object): PrintedLine | null {
  // What the line says of its process and time is known, or is another's.
  const { level, msg, message, time, timestamp, pid, hostname, v, ...fields } = record as Record<string, unknown>;
  const known = typeof level === 'number' ? byNumber(level) : byName(level);
  const text = msg ?? message ?? '';
  if (known === undefined || typeof text !== 'string') return null;
  return { level: known, message: text, ...(Object.keys(fields).length > 0 && { fields }) };
}

function byName(level: unknown): LogLevel | undefined {
  return typeof level === 'string' ? LEVELS.get(level.toLowerCase()) : undefined;
}

/** As pino and bunyan count: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
function byNumber(level: number): LogLevel | undefined {
  if (!(level >= 10 && level <= 100)) return undefined;
  if (level < 30) return 'debug';
  if (level < 40) return 'info';
  return level < 50 ? 'warn' : 'error';
}
