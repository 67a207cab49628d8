/** What goes to somebody who listens: messages without an end, in place of one answer. */

import type { Outcome } from '../../ipc/event.ts';

export interface StreamMessage {
  /** Its name among the server-sent events. */
  readonly kind: string;
  /** JSON on one line. */
  readonly data: string;
}

/** One listener. It never throws and never holds up who speaks to it: what it cannot take, it counts. */
export interface StreamSink {
  push(message: StreamMessage): void;
  /** So many events could not be told. */
  miss(count: number): void;
  /** Resolves to true when it can take more, to false when it is gone. For who has time. */
  ready(): Promise<boolean>;
  /** Everything was told. */
  end(): void;
}

/** Begins to speak to a listener; returns what stops it. */
export type Stream = (sink: StreamSink) => () => void;

export const STREAM_KINDS = ['event', 'plugin', 'flight-record'] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

/** null: all of them. */
export interface StreamQuery {
  readonly kinds: readonly StreamKind[] | null;
  readonly plugins: readonly string[] | null;
  readonly outcomes: readonly Outcome[] | null;
}

export interface RecordingQuery {
  readonly plugins: readonly string[] | null;
  readonly outcomes: readonly Outcome[] | null;
  /** First these, as far as they are remembered. */
  readonly last: number;
  /** Of these only what is on its way still. */
  readonly inFlight: boolean;
  /** Then what comes, until the listener is gone. */
  readonly follow: boolean;
  /** Secrets are left in. */
  readonly raw: boolean;
}
