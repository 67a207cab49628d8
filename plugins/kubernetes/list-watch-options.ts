/** What a ListWatch is told, and what it tells. */

import type { KubernetesConnection } from 'khook/plugin';
import type { Turns } from './turns.ts';

export interface ApiObject {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp?: string | null;
  };
}

export type Change = 'listed' | 'added' | 'modified' | 'deleted';

export interface ListWatchOptions<T extends ApiObject> {
  readonly path: string;
  readonly pageSize: number;
  /** Read for every request: a rotated token is used at once. Throws when there is none. */
  readonly connection: () => KubernetesConnection;
  /** After a 401. True when trying again at once makes sense. */
  readonly renew: (refused: KubernetesConnection) => Promise<boolean>;
  /** Shared by all that list. */
  readonly turns: Turns;
  readonly signal: AbortSignal;
  readonly listener: ListWatchListener<T>;
  readonly times?: Partial<ListWatchTimes>;
}

/** Times are in Unix milliseconds by the clock of the API server. */
export interface ListWatchListener<T extends ApiObject> {
  /** A list was begun; what it holds follows. */
  listing(at: number): void;
  /** The reading goes on when it is done: a slow consumer slows the API server. What it throws ends `run`. */
  object(object: T, change: Change): Promise<void> | void;
  /** Everything up to this moment was handed on. */
  caughtUp(at: number): void;
  /** The API server gave an answer or sent a line. */
  contact(): void;
  state(state: WatchState): void;
}

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
  watchSeconds: 60,
  silenceMs: 65_000,
  answerMs: 30_000,
  backoffBaseMs: 500,
  backoffCapMs: 15_000,
  stableMs: 1_000,
};

export type WatchState =
  | { readonly kind: 'established' }
  /** `error` is null when the server ended the watch in good order. */
  | { readonly kind: 'reconnecting'; readonly error: unknown; readonly delayMs: number; readonly relists: boolean };
