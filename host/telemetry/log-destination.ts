/** Where log lines go. Never blocks the host: a reader that stalls costs log lines, not events. */

import { isatty } from 'node:tty';
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

export type LogFormat = 'json' | 'pretty';

/** What a test hands in instead of a file descriptor. */
export interface LineSink {
  write(line: string): unknown;
}

export interface LogDestination {
  write(line: string): void;
  /** Lines that a stalled reader cost so far. */
  readonly lost: number;
  /** Returns once everything is with the operating system. */
  flush(): void;
}

/** Bytes kept for a reader that does not read; beyond it lines are lost and counted. */
const BUFFER_BYTES = 8 * 1024 * 1024;
/** A flush gives a full pipe this many tries of 100 ms. */
const FLUSH_TRIES = 20;

export function openLogDestination(sink: number | LineSink, format: LogFormat): LogDestination {
  const raw = typeof sink === 'number' ? descriptor(sink) : stream(sink);
  if (format === 'json') return raw;
  const prettify = prettyLines(typeof sink === 'number' && isatty(sink));
  return {
    write: (line) => raw.write(prettify(line)),
    get lost(): number {
      return raw.lost;
    },
    flush: () => raw.flush(),
  };
}

/** `auto`: colours and columns for a person at a terminal, JSON lines for everything that reads a pipe. */
export function logFormat(wish: LogFormat | 'auto', sink: number | LineSink): LogFormat {
  if (wish !== 'auto') return wish;
  return typeof sink === 'number' && isatty(sink) ? 'pretty' : 'json';
}

function descriptor(fd: number): LogDestination {
  let lost = 0;
  let isFlushing = false;
  let tries = 0;
  // Asynchronous: a synchronous write to a pipe that nobody reads would stop the host's thread.
  const sonic = pino.destination({
    fd,
    sync: false,
    minLength: 0,
    maxLength: BUFFER_BYTES,
    retryEAGAIN: () => !isFlushing || ++tries < FLUSH_TRIES,
  });
  sonic.on('drop', () => {
    lost += 1;
  });
  // A log that cannot be written (disk full, reader gone) must not take the host with it.
  sonic.on('error', () => {
    lost += 1;
  });
  return {
    write: (line) => {
      sonic.write(line);
    },
    get lost(): number {
      return lost;
    },
    flush() {
      isFlushing = true;
      tries = 0;
      try {
        sonic.flushSync();
      } catch {
        lost += 1;
      } finally {
        isFlushing = false;
      }
    },
  };
}

function stream(sink: LineSink): LogDestination {
  return { write: (line) => void sink.write(line), lost: 0, flush: () => {} };
}

/** Texts of several lines: shown under the line they belong to, as they were written. */
const BLOCKS = ['remedy', 'yaml', 'stack'] as const;

function prettyLines(colorize: boolean): (line: string) => string {
  const pretty = prettyFactory({
    colorize,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: BLOCKS.join(','),
  });
  return (line) => pretty(line) + blocks(line);
}

function blocks(line: string): string {
  const record = JSON.parse(line) as Record<string, unknown>;
  let text = '';
  for (const key of BLOCKS) {
    const value = record[key];
    if (typeof value === 'string' && value !== '') text += `    ${value.trimEnd().replaceAll('\n', '\n    ')}\n`;
  }
  return text;
}
