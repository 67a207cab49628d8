/** Times and states of a ListWatch. */

export interface ListWatchTimes {
  /** The server is asked to end a watch after two thirds to all of this. */
  readonly watchSeconds: number;
  /** Silence after which a watch is given up: longer than a watch may live, so only a dead connection meets it. */
  readonly silenceMs: number;
  /** For the head of an answer and each part of a list. */
  readonly answerMs: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** A watch that lived so long was a success. */
  readonly stableMs: number;
}

export const TIMES: ListWatchTimes = {
  watchSeconds: 90,
  silenceMs: 100_000,
  answerMs: 30_000,
  backoffBaseMs: 500,
  backoffCapMs: 30_000,
  stableMs: 5_000,
};

export type WatchState =
  | { readonly kind: 'established' }
  /** `error` is null when the server ended the watch in good order. */
  | { readonly kind: 'reconnecting'; readonly error: unknown; readonly delayMs: number; readonly relists: boolean }
  | { readonly kind: 'stopped' };
