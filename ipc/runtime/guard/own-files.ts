// Runs in the plugin's thread.
/** The file descriptors that this thread opened. */

import { defineProperty, PlainError, SafeMap, SafeSet } from './primordials.ts';
import type { Refusals } from './refusal.ts';
import type { UseCount } from './use-count.ts';

/** Above every limit of open files: no process has it. */
export const NO_FILE = 2 ** 31 - 1;

/** A file behind a FileHandle. */
export interface HandleFile {
  readonly file: number;
  isOpen: boolean;
}

export class OwnFiles {
  readonly #limit: number;
  readonly #refusals: Refusals;
  readonly #uses: UseCount;
  readonly #numbers = new SafeSet<number>();
  readonly #handles = new SafeMap<number, HandleFile>();
  readonly #busy = new SafeMap<number, number>();
  #reserved = 0;

  constructor(limit: number, refusals: Refusals, uses: UseCount) {
    this.#limit = limit;
    this.#refusals = refusals;
    this.#uses = uses;
  }

  has(file: number): boolean {
    return this.#numbers.has(file) || this.#handles.has(file);
  }

  add(file: number): void {
    this.#numbers.add(file);
    this.#counted();
  }

  addHandle(handle: HandleFile): void {
    this.#handles.set(handle.file, handle);
    this.#counted();
  }

  /** Its number may be somebody else's from now on. */
  closeHandle(handle: HandleFile): void {
    if (!handle.isOpen) return;
    handle.isOpen = false;
    if (this.#handles.get(handle.file) === handle) this.#handles.delete(handle.file);
    this.#counted();
  }

  forget(file: number): void {
    this.#numbers.delete(file);
    this.#counted();
  }

  /** A call on this file runs in the background: +1, and −1 when it is over. */
  use(file: number, change: 1 | -1): void {
    const uses = (this.#busy.get(file) ?? 0) + change;
    if (uses === 0) this.#busy.delete(file);
    else this.#busy.set(file, uses);
  }

  /** Closed now, its number could be another file's by the time the call in the background comes to it. */
  isBusy(file: number): boolean {
    return this.#busy.has(file);
  }

  /** Counts what has no number yet, or none that can be used: +1 and −1. */
  reserve(change: 1 | -1): void {
    this.#reserved += change;
    this.#counted();
  }

  /** Throws EMFILE, as the system does, when there is no room for one more. */
  room(call: string, path: unknown): void {
    const full = this.full(call, path);
    if (full !== null) throw full;
  }

  /** The EMFILE of the system when there is no room for one more, or null. */
  full(call: string, path: unknown): Error | null {
    if (this.#count < this.#limit) return null;
    this.#refusals.report('one more open file', `limits.files is ${this.#limit}`);
    const name = typeof path === 'string' ? ` '${path}'` : '';
    const why = `too many open files, ${call}${name} (limits.files is ${this.#limit})`;
    return fileError({ code: 'EMFILE', errno: -24, call, why });
  }

  get #count(): number {
    return this.#numbers.size + this.#handles.size + this.#reserved;
  }

  #counted(): void {
    this.#uses.set('files', this.#count);
  }
}

export function fileError(given: { code: string; errno: number; call: string; why: string }): Error {
  const error = new PlainError(`${given.code}: ${given.why}`);
  const define = (key: string, value: unknown): void => {
    defineProperty(error, key, { __proto__: null, value, enumerable: true } as PropertyDescriptor);
  };
  define('errno', given.errno);
  define('code', given.code);
  define('syscall', given.call);
  return error;
}
