// Runs in the plugin thread.
/** A list, page by page: never is more than one page of it held. */

import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';
import { readText, TooLargeError } from './stream.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** By the API server's clock, in Unix milliseconds. */
  readonly at: number;
}

export interface ListPagesOptions {
  readonly pageSize: number;
  readonly answerMs: number;
  readonly open: (
    query: Record<string, string>,
  ) => Promise<{ readonly response: IncomingMessage; readonly at: number }>;
}

/** A page that is larger is asked for again in smaller ones. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024;
/** One object: 1.5 MiB where it is stored, and its JSON is longer by what has to be escaped. */
const MAX_OBJECT_BYTES = 16 * 1024 * 1024;

export class ListPages<T> {
  readonly #options: ListPagesOptions;
  #pageSize: number;
  #token = '';
  #isOver = false;

  constructor(options: ListPagesOptions) {
    this.#options = options;
    this.#pageSize = options.pageSize;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next page. Rejects with an ApiError, 410 when the list cannot go on where it was. */
  async next(): Promise<Page<T>> {
    for (;;) {
      try {
        const page = await this.#read();
        this.#pageSize = Math.min(this.#pageSize * 2, this.#options.pageSize);
        return page;
      } catch (error) {
        if (error instanceof TooLargeError && this.#pageSize > 1) this.#pageSize = Math.ceil(this.#pageSize / 4);
        // The token is too old. The server offers another that goes on at a newer version; the watch from the first page's
        // version fills the gap.
        else if (error instanceof ApiError && error.isGone && this.#token !== '' && error.continueToken !== null)
          this.#token = error.continueToken;
        else throw error;
      }
    }
  }

  async #read(): Promise<Page<T>> {
    const { answerMs, open } = this.#options;
    const token = this.#token === '' ? {} : { continue: this.#token };
    const { response, at } = await open({ limit: String(this.#pageSize), ...token });
    const maxBytes = this.#pageSize === 1 ? MAX_OBJECT_BYTES : MAX_PAGE_BYTES;
    const body = parseJson(await readText(response, { silenceMs: answerMs, maxBytes })) as {
      items?: readonly T[] | null;
      metadata?: { resourceVersion?: string; continue?: string };
    } | null;
    const { resourceVersion = '', continue: next = '' } = body?.metadata ?? {};
    if (resourceVersion === '') throw new Error('the API server sent a list without a resourceVersion');
    this.#token = next;
    this.#isOver = next === '';
    return { items: body?.items ?? [], resourceVersion, at };
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`the API server sent something that is no JSON: ${text.slice(0, 80)}`, { cause });
  }
}
