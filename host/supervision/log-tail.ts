/** The last lines of a plugin, bounded in number and in size. */

import type { LogRecord } from '../../ipc/messages.ts';

const LINES = 50;
/** UTF-16 units of all lines together. More than the longest line that a plugin can send. */
const UNITS = 48 * 1024;

export class LogTail {
  readonly generation: number;
  readonly #lines: LogRecord[];
  #units: number;

  /** Begins with the lines of the run before, so that a short run does not hide what led to it. */
  constructor(generation: number, before?: LogTail) {
    this.generation = generation;
    this.#lines = [...(before?.lines ?? [])];
    this.#units = this.#lines.reduce((sum, line) => sum + unitsOf(line), 0);
  }

  /** Oldest first. */
  get lines(): readonly LogRecord[] {
    return this.#lines;
  }

  push({ level, message, fields, at }: LogRecord): void {
    const line: LogRecord = { level, message: ownText(message), fields: ownText(fields), at };
    this.#lines.push(line);
    this.#units += unitsOf(line);
    while (this.#lines.length > LINES || this.#units > UNITS) {
      const oldest = this.#lines.shift();
      if (oldest === undefined) return;
      this.#units -= unitsOf(oldest);
    }
  }
}

function unitsOf({ message, fields }: LogRecord): number {
  return message.length + fields.length;
}

/** A copy: a line cut out of a chunk of output would keep the whole chunk in memory for as long as the line is kept. */
function ownText(text: string): string {
  return Buffer.from(text).toString();
}
