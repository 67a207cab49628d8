// Runs in the plugin's thread.
/**
 * Descriptors 1 and 2 are the host's; a library that logs (pino is one) writes to them by number. Such a call prints lines of the
 * plugin, as process.stdout and process.stderr do, and answers as if the file had taken all of it.
 */

import type { OwnFiles } from './own-files.ts';
import { apply, floor, isArray, isView, theProcess } from './primordials.ts';
import type { Lines, StandardOutput } from './stdio.ts';

/** What was printed, or null when the call is none that prints. */
export type Printed = (args: readonly unknown[]) => { readonly result: unknown } | null;

const { nextTick } = process;
const { from: bufferFrom, byteLength, isEncoding } = Buffer;

/** Returns what prints for a function of `node:fs`; null for one that writes nothing. */
export function printer(own: OwnFiles, { stdout, stderr }: StandardOutput): (name: string) => Printed | null {
  return (name) => {
    const isSync = name.endsWith('Sync');
    const take = TAKES[isSync ? name.slice(0, -'Sync'.length) : name];
    if (take === undefined) return null;
    return (args) => {
      const file = args[0];
      if ((file !== 1 && file !== 2) || own.has(file)) return null;
      const done = args[args.length - 1];
      // Without its callback it is refused, by Node, in its own words.
      if (!isSync && typeof done !== 'function') return null;
      const written = take(file === 1 ? stdout : stderr, args);
      if (written === null) return null;
      if (isSync) return { result: written === 'all' ? undefined : written };
      apply(nextTick, theProcess, written === 'all' ? [done, null] : [done, null, written, args[1]]);
      return { result: undefined };
    };
  };
}

/** Bytes written, or `all` where the function tells no number; null when it was given what cannot be written. */
type Take = (lines: Lines, args: readonly unknown[]) => number | 'all' | null;

const whole: Take = (lines, args) => (printAll(lines, args[1]) === null ? null : 'all');

const TAKES: Readonly<Record<string, Take>> = {
  /** (file, text, position, encoding), (file, bytes, offset, length) or (file, bytes, { offset, length }). */
  write(lines, args) {
    const data = args[1];
    if (typeof data === 'string') {
      lines.write(data);
      const encoding = args[3];
      return byteLength(data, typeof encoding === 'string' && isEncoding(encoding) ? encoding : 'utf8');
    }
    const given = args[2];
    if (typeof given !== 'object' || given === null) return printAll(lines, data, given, args[3]);
    const { offset, length } = given as { offset?: unknown; length?: unknown };
    return printAll(lines, data, offset, length);
  },
  writev(lines, args) {
    const buffers = args[1];
    if (!isArray(buffers)) return null;
    let written = 0;
    for (let index = 0; index < buffers.length; index += 1) written += printAll(lines, buffers[index]) ?? 0;
    return written;
  },
  writeFile: whole,
  appendFile: whole,
};

function printAll(lines: Lines, data: unknown, offset?: unknown, length?: unknown): number | null {
  if (typeof data === 'string') {
    lines.write(data);
    return byteLength(data);
  }
  if (!isView(data)) return null;
  const first = within(offset ?? 0, data.byteLength);
  const bytes = within(length ?? data.byteLength, data.byteLength - first);
  lines.writeBytes(bufferFrom(data.buffer, data.byteOffset + first, bytes));
  return bytes;
}

function within(value: unknown, most: number): number {
  if (typeof value !== 'number' || !(value >= 0)) return 0;
  return value < most ? floor(value) : most;
}
