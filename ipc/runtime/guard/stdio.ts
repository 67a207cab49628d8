// Runs in the plugin's thread.
/**
 * stdout and stderr as log lines of the plugin: whole lines, bounded in length, under its log budget. The streams of Node are not
 * left within reach: a worker's lead to its private port, a child's to the files of the host.
 */

import { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { isMainThread } from 'node:worker_threads';
import type { LogLevel } from '../../messages.ts';
import { lock, lockAccessor } from './lock.ts';
import { defineProperty } from './primordials.ts';

const LINE_LIMIT = 8_192;
/** Decoded at once: a text as long as the largest buffer cannot be. */
const PIECE_BYTES = 65_536;

export type LogLine = (level: LogLevel, text: string) => void;

export interface StandardOutput {
  readonly stdout: Lines;
  readonly stderr: Lines;
  /** Writes out the lines that were begun and not ended. */
  end(): void;
}

export function guardStdio(log: LogLine): StandardOutput {
  const stdout = new Lines((line) => log('info', line));
  const stderr = new Lines((line) => log('error', line));
  for (const [name, lines] of Object.entries({ stdout, stderr })) {
    const wanted = isMainThread ? null : wantsMore(process[name as 'stdout' | 'stderr']);
    let stream: Writable | null = null;
    lockAccessor(process, name, {
      get() {
        stream ??= lineStream(lines, wanted);
        return stream;
      },
    });
  }
  // The console keeps a stream that it has used.
  for (const name of ['stdout', 'stderr'] as const) {
    lockAccessor(console, `_${name}`, { get: () => process[name], set: () => undefined });
  }
  let input: Readable | null = null;
  lockAccessor(process, 'stdin', {
    get: () => {
      input ??= new Readable({
        read() {
          this.push(null);
        },
      });
      return input;
    },
  });
  const raw = new Lines((line) => log('error', line));
  lock(process, '_rawDebug', (...args: unknown[]) => {
    raw.write(`${args.map((arg) => (typeof arg === 'string' ? arg : typeof arg)).join(' ')}\n`);
  });
  process.on('warning', (warning) => {
    log(warning.name === 'ExperimentalWarning' ? 'debug' : 'warn', `${warning.name}: ${warning.message}`);
  });
  return {
    stdout,
    stderr,
    end() {
      stdout.end();
      stderr.end();
    },
  };
}

/** The method that Node calls on a worker's stream when its host reads: without it the worker dies. */
function wantsMore(stream: object): symbol | null {
  const prototype = Object.getPrototypeOf(stream) as object;
  return (
    Object.getOwnPropertySymbols(prototype).find((key) => key.description === 'kStdioWantsMoreDataCallback') ?? null
  );
}

function lineStream(lines: Lines, wanted: symbol | null): Writable {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      if (typeof chunk === 'string') lines.write(chunk);
      else lines.writeBytes(chunk);
      done();
    },
  });
  if (wanted !== null) defineProperty(stream, wanted, { value() {} });
  return stream;
}

/** Cuts text into lines. What is longer than a line may be comes in pieces; nothing is kept beyond that. */
export class Lines {
  readonly #say: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  write(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.#line(this.#rest + text.slice(from, Math.min(end, from + LINE_LIMIT)));
      this.#rest = '';
      from = end + 1;
    }
    this.#rest += text.slice(from, from + LINE_LIMIT);
    if (this.#rest.length >= LINE_LIMIT) this.end();
  }

  /** UTF-8, cut anywhere. */
  writeBytes(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      this.write(this.#decoder.write(bytes.subarray(from, from + PIECE_BYTES)));
    }
  }

  end(): void {
    this.#line(this.#rest);
    this.#rest = '';
  }

  #line(text: string): void {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (line !== '') this.#say(line.slice(0, LINE_LIMIT));
  }
}
