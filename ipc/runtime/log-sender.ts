// Runs in the plugin's thread.
/** Log lines towards the host: gathered for one turn, bounded per second; what is over the budget is counted and said. */

import type { Clock } from '../clock.ts';
import { textOf, toWireError } from '../errors.ts';
import type { LogLevel, LogRecord, ToHost } from '../messages.ts';
import { pluginFrames } from '../plugin-frames.ts';
import type { Port } from '../port.ts';
import { printedLine } from './printed-line.ts';

// Taken before a plugin, or a library in it, replaces them.
const { stringify } = JSON;
const soon = queueMicrotask;

const MESSAGE_LIMIT = 8_192;
const FIELDS_LIMIT = 16_384;
/** Of a line on average: a plugin may write long lines, or many. */
const UNITS_PER_LINE = 2_048;
/** A turn that logs for seconds without a pause sends in between: a message has room for so many lines only. */
const MAX_RECORDS = 500;

export interface LogSenderOptions {
  readonly port: Port<ToHost, unknown>;
  readonly clock: Clock;
  readonly generation: number;
  readonly debug: boolean;
  readonly linesPerSecond: number;
}

export class LogSender {
  readonly #options: LogSenderOptions;
  #records: LogRecord[] = [];
  #dropped = 0;
  #window = { start: 0, lines: 0, units: 0 };
  #isFlushScheduled = false;
  /** Debug lines are sent only when somebody wants them. */
  debug: boolean;

  constructor(options: LogSenderOptions) {
    this.#options = options;
    this.debug = options.debug;
  }

  write(level: LogLevel, message: unknown, fields?: Record<string, unknown>): void {
    if (level === 'debug' && !this.debug) return;
    const now = this.#options.clock.now();
    if (now - this.#window.start >= 1000) this.#window = { start: now, lines: 0, units: 0 };
    const { linesPerSecond } = this.#options;
    this.#window.lines += 1;
    if (this.#window.lines > linesPerSecond || this.#window.units > linesPerSecond * UNITS_PER_LINE) {
      this.#dropped += 1;
      this.#flushSoon();
      return;
    }
    const record = {
      level,
      message: textOf(message).slice(0, MESSAGE_LIMIT),
      at: this.#options.clock.wall(),
      fields: fields === undefined ? '' : toJson(fields),
    };
    this.#window.units += record.message.length + record.fields.length;
    this.#records.push(record);
    if (this.#records.length >= MAX_RECORDS) this.flush();
    else this.#flushSoon();
  }

  /** A line that was printed: a record, where a library wrote one as JSON. */
  print(level: LogLevel, text: string): void {
    const line = printedLine(level, text);
    this.write(line.level, line.message, line.fields);
  }

  /** Also called as the thread ends, so that the last words before a crash arrive. */
  flush(): void {
    if (this.#records.length === 0 && this.#dropped === 0) return;
    const message = { records: this.#records, dropped: this.#dropped };
    this.#records = [];
    this.#dropped = 0;
    this.#options.port.post({ kind: 'log', generation: this.#options.generation, ...message });
  }

  #flushSoon(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    soon(() => {
      this.#isFlushScheduled = false;
      this.flush();
    });
  }
}

function toJson(fields: Record<string, unknown>): string {
  try {
    const seen = new WeakSet<object>();
    const text = stringify(fields, (_key, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      if (value instanceof Error) return errorFields(value);
      if (typeof value === 'object' && value !== null) {
        if (seen.has(value)) return '[seen above]';
        seen.add(value);
      }
      return value;
    });
    // Cut to a half: as a string inside JSON each backslash and quote of it becomes two characters.
    return text.length > FIELDS_LIMIT ? stringify({ cut: text.slice(0, FIELDS_LIMIT / 2) }) : text;
  } catch {
    return stringify({ unreadable: 'the fields cannot be written as JSON' });
  }
}

/** What other properties it has is not for a log: those of an HTTP client hold whole requests, credentials included. */
function errorFields(error: Error): Record<string, unknown> {
  const { code, name, message, stack } = toWireError(error, 'PLUGIN_ERR_THROWN');
  return { name, message, ...(code !== 'PLUGIN_ERR_THROWN' && { code }), stack: pluginFrames(stack) };
}
