/** What a route answers, and the few answers that every server gives. */

import { codeOf, messageOf } from '../../ipc/errors.ts';
import type { Stream } from './stream.ts';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer without an end. */
export interface StreamReply {
  readonly stream: Stream;
}

export const JSON_TYPE = 'application/json; charset=utf-8';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

export function json(value: unknown, status = 200): Reply {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, status = 200): Reply {
  return { status, contentType: TEXT_TYPE, body };
}

/** `{"error": what happened and what was expected, …}` */
export function refusal(status: number, error: string, more: Readonly<Record<string, unknown>> = {}): Reply {
  return json({ error, ...more }, status);
}

/** Where it is not simply the caller's fault, or khook's. */
const STATUS: Readonly<Record<string, number>> = {
  EVENT_ERR_INVALID: 400,
  HOST_ERR_DEAD_LETTER_UNKNOWN: 404,
  HOST_ERR_DEAD_LETTER_HELD: 409,
  HOST_ERR_MATCH: 503,
  HOST_ERR_OUTBOX: 503,
  HOST_ERR_OUTBOX_FULL: 503,
  HOST_ERR_STANDBY: 503,
  HOST_ERR_STOPPING: 503,
};

/** A coded error is meant to be read; anything else is a bug whose text stays in the log. */
export function failure(thrown: unknown): Reply {
  const code = codeOf(thrown);
  if (!/^(HOST|IPC|PLUGIN|EVENT)_ERR_/.test(code)) {
    return refusal(500, 'khook could not answer because of an error of its own; its log says more');
  }
  const kind = (thrown as { kind?: unknown }).kind;
  const status = STATUS[code] ?? (kind === 'user' ? 400 : 500);
  return refusal(status, messageOf(thrown), { code });
}
