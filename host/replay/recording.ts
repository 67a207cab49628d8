/**
 * A recording on disk. An event is written when it has ended, long after a host has judged it if its agent took its time: so the file is
 * read once to learn the order, of which a few numbers per line are kept, and then line by line in that order.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import { type RecordingRead, readRecordingLine } from './recording-line.ts';

/** A line that cannot be used; lines count from 1. */
export interface BrokenLine {
  readonly line: number;
  readonly problem: string;
}

export interface RecordingFacts {
  readonly events: number;
  /** That were told twice; the later line counts. */
  readonly repeated: number;
  /** That the recording does not have, because they came too fast. */
  readonly missed: number;
  /** From which something that looked like a secret was taken out. */
  readonly redacted: number;
  readonly broken: number;
}

/** Longer than any event, and than the Hooks and mappings of a large cluster. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const TOO_LONG = `it is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`;

const CONFIG = 0;
const EVENT = 1;
/** Without a place in the order of the host: it follows what stands before it. */
const LOOSE_EVENT = 2;

export class Recording implements Disposable {
  readonly #file: number;
  /** One entry per line that is used. */
  readonly #kinds: number[] = [];
  readonly #runs: number[] = [];
  readonly #orders: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #lines: number[] = [];
  readonly #runsByName = new Map<string, number>();
  #places = new Uint32Array();
  #controllerNamespace: string | null = null;
  #run = 0;
  #order = -1;
  #missed = 0;
  #redacted = 0;
  #broken = 0;
  #repeated = 0;

  private constructor(file: number) {
    this.#file = file;
  }

  /** `onBroken` is told of each line that cannot be used. Throws HOST_ERR_RECORDING. */
  static open(path: string, onBroken: (broken: BrokenLine) => void): Recording {
    let recording: Recording | null = null;
    try {
      recording = new Recording(openSync(path, 'r'));
      if (!fstatSync(recording.#file).isFile()) throw new Error('it is no file; use - and pipe it in');
      recording.#readAll(onBroken);
      return recording;
    } catch (error) {
      recording?.[Symbol.dispose]();
      throw new HostError('HOST_ERR_RECORDING', `${path} cannot be read: ${messageOf(error)}`, { kind: 'user' });
    }
  }

  get facts(): RecordingFacts {
    const events = this.#kinds.filter((kind) => kind !== CONFIG).length - this.#repeated;
    return {
      events,
      repeated: this.#repeated,
      missed: this.#missed,
      redacted: this.#redacted,
      broken: this.#broken,
    };
  }

  /** Whose Hooks may see other namespaces; null: the recording does not say. */
  get controllerNamespace(): string | null {
    return this.#controllerNamespace;
  }

  /** In the order in which they happened. */
  *inOrder(): Generator<RecordingRead> {
    for (const place of this.#places) {
      const read = readRecordingLine(this.#text(place));
      if (typeof read === 'string') continue;
      const line = this.#lines[place] ?? 0;
      yield read.kind === 'event' && read.id === '' ? { ...read, id: `line-${line}` } : read;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #readAll(onBroken: (broken: BrokenLine) => void): void {
    let line = 0;
    for (const { offset, bytes } of linesOf(this.#file)) {
      line += 1;
      const problem = bytes === null ? TOO_LONG : this.#take(bytes, { offset, line });
      if (problem === null) continue;
      this.#broken += 1;
      onBroken({ line, problem });
    }
    this.#sort();
  }

  /** What is wrong with the line, or null. */
  #take(bytes: Buffer, { offset, line }: { readonly offset: number; readonly line: number }): string | null {
    const text = bytes.toString('utf8');
    if (text.trim() === '') return null;
    const read = readRecordingLine(text);
    if (typeof read === 'string') return read;
    if (read.kind === 'missed') {
      this.#missed += read.count;
      return null;
    }
    if (read.kind === 'config') {
      this.#enter(read.run);
      this.#controllerNamespace = read.controllerNamespace;
      this.#add(CONFIG, read.order, { offset, bytes, line });
      return null;
    }
    if (read.redacted) this.#redacted += 1;
    this.#order = read.order ?? this.#order;
    this.#add(read.order === undefined ? LOOSE_EVENT : EVENT, this.#order, { offset, bytes, line });
    return null;
  }

  #enter(run: string): void {
    this.#run = this.#runsByName.get(run) ?? this.#runsByName.size + 1;
    this.#runsByName.set(run, this.#run);
    this.#order = -1;
  }

  #add(
    kind: number,
    order: number,
    of: { readonly offset: number; readonly bytes: Buffer; readonly line: number },
  ): void {
    this.#kinds.push(kind);
    this.#runs.push(this.#run);
    this.#orders.push(order);
    this.#offsets.push(of.offset);
    this.#lengths.push(of.bytes.length);
    this.#lines.push(of.line);
  }

  #sort(): void {
    const [runs, orders, kinds] = [this.#runs, this.#orders, this.#kinds];
    const begun = new Set<number>();
    for (const [place, kind] of kinds.entries()) {
      const run = runs[place] ?? 0;
      // What was in force when a recording began holds for what it had remembered from before, too.
      if (kind === CONFIG && !begun.has(run)) orders[place] = -1;
      if (kind === CONFIG) begun.add(run);
    }
    const rank = (place: number): number => (kinds[place] === CONFIG ? 0 : 1);
    const sorted = Uint32Array.from(runs.keys()).sort((a, b) => {
      const byRun = (runs[a] ?? 0) - (runs[b] ?? 0);
      const byOrder = (orders[a] ?? 0) - (orders[b] ?? 0);
      return byRun || byOrder || rank(a) - rank(b) || a - b;
    });
    this.#places = sorted.filter((place, n) => !this.#isSameEvent(place, sorted[n + 1]));
    this.#repeated = sorted.length - this.#places.length;
  }

  #isSameEvent(a: number, b: number | undefined): boolean {
    if (b === undefined || this.#kinds[a] !== EVENT || this.#kinds[b] !== EVENT) return false;
    return this.#runs[a] === this.#runs[b] && this.#orders[a] === this.#orders[b];
  }

  #text(place: number): string {
    const bytes = Buffer.allocUnsafe(this.#lengths[place] ?? 0);
    readSync(this.#file, bytes, 0, bytes.length, this.#offsets[place] ?? 0);
    return bytes.toString('utf8');
  }
}

/** `bytes` null: it is too long. */
function* linesOf(file: number): Generator<{ readonly offset: number; readonly bytes: Buffer | null }> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let pieces: Buffer[] = [];
  /** Of the line that is being read: where it begins, and how much of it there is. */
  let offset = 0;
  let length = 0;
  const line = (): { readonly offset: number; readonly bytes: Buffer | null } => {
    const whole = { offset, bytes: length > MAX_LINE_BYTES ? null : Buffer.concat(pieces) };
    offset += length + 1;
    length = 0;
    pieces = [];
    return whole;
  };
  for (;;) {
    const read = readSync(file, chunk, 0, CHUNK_BYTES, offset + length);
    if (read === 0) break;
    const bytes = chunk.subarray(0, read);
    for (let start = 0; start < read; ) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? read : newline;
      length += end - start;
      if (length > MAX_LINE_BYTES) pieces = [];
      else pieces.push(Buffer.from(bytes.subarray(start, end)));
      if (newline >= 0) yield line();
      start = end + 1;
    }
  }
  if (length > 0) yield line();
}
