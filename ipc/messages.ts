/** Everything that may be said on the events wire and on the pulse wire. Types only: no logic, no transport. */

import type { Frame } from './frame.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  /** Unix milliseconds, by the plugin thread's clock. */
  readonly at: number;
  /** JSON of the fields, or an empty string. The host logs it as data and never merges it into its own keys. */
  readonly fields: string;
}

/** Log lines gathered in the thread. `dropped` counts lines over the budget since the last message. */
export interface LogMessage {
  readonly kind: 'log';
  readonly generation: number;
  readonly records: readonly LogRecord[];
  readonly dropped: number;
}

export interface MetricRecord {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Without the prefix `khook_plugin_custom_`. */
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Counter: the increment. Gauge: the value. Histogram: one observation. */
  readonly value: number;
}

export interface MetricMessage {
  readonly kind: 'metric';
  readonly generation: number;
  readonly records: readonly MetricRecord[];
}

/** Events the thread itself refused (too large, not serialisable, a forged source): they never entered, but the operator hears of them. */
export interface RefusedMessage {
  readonly kind: 'refused';
  readonly generation: number;
  readonly code: string;
  readonly message: string;
}

/** A server refused the credentials of the `kubernetes` permission: the host reads them anew and answers by `reconnect`. */
export interface RenewMessage {
  readonly kind: 'renew';
  readonly generation: number;
}

/** Plugin → host, events wire. */
export type ToHost = Frame | LogMessage | MetricMessage | RefusedMessage | RenewMessage;

export interface Refusal {
  /** Position of the event in its frame. */
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

/** Leave to send `events` more events and `bytes` more UTF-16 units of text. */
export interface CreditMessage {
  readonly kind: 'credit';
  readonly events: number;
  readonly bytes: number;
}

/** Every event of the frame has its verdict and each firing is in dispatch's hands. Gives the frame's credit back. */
export interface AckMessage {
  readonly kind: 'ack';
  readonly sequence: number;
  readonly refusals: readonly Refusal[];
  readonly events: number;
  readonly bytes: number;
}

/** Host → plugin, events wire. */
export type ToPlugin = CreditMessage | AckMessage;

/** Host → plugin, pulse wire; answered with the same number by the runtime. Only the absence of an answer means anything. */
export interface PulseMessage {
  readonly kind: 'ping' | 'collect';
  readonly n: number;
}
