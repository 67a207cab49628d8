/** Whether standard output can still be written: `khook … | head` reads no further, and a disk can be full. */

import { codeOf, messageOf } from '../../ipc/errors.ts';

export class OutputWatch {
  readonly #closed = new AbortController();
  #fault: string | null = null;

  constructor() {
    process.stdout.on('error', (error) => {
      if (codeOf(error) !== 'EPIPE') this.#fault ??= `standard output cannot be written: ${messageOf(error)}`;
      this.#closed.abort();
    });
  }

  /** Aborts when it cannot. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  get isOpen(): boolean {
    return !this.#closed.signal.aborted;
  }

  /** What is wrong, in words; null while it can be written, and when nobody reads on, which is no fault. */
  get fault(): string | null {
    return this.#fault;
  }
}
