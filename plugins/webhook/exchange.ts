// Runs in the plugin thread.
/** One request and its answer: what is refused, what becomes an event, and what the sender may conclude from the status. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PluginContext, PluginEvent, Receipt } from 'khook/plugin';
import { type Authentication, challengeOf, hasSignature, hasToken } from './authentication.ts';
import { eventFrom, parsePayload } from './event-from.ts';
import { announcesTooLarge, discard, hasUnreadBody, readBody } from './request-body.ts';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ExchangeRules {
  readonly ctx: Pick<PluginContext, 'log' | 'tryEmit'>;
  readonly path: string;
  readonly authentication: Authentication;
  readonly maxBodyBytes: number;
  /** How long an event that was taken may go unconfirmed before the sender is told so. */
  readonly confirmTimeoutMs: number;
  isStopping(): boolean;
}

const STOPPING: Answer = { status: 503, body: { error: 'Service shutting down' }, headers: { 'Retry-After': '5' } };
const OVERLOADED: Answer = {
  status: 503,
  body: { error: 'Event processing overloaded', detail: 'nothing was taken; send it again later' },
  headers: { 'Retry-After': '1' },
};
const UNCONFIRMED: Answer = {
  status: 504,
  body: {
    error: 'Event not confirmed',
    detail:
      'the event was taken but not confirmed in time; sending it again is safe, repeats of a resource are deduplicated',
  },
};

/** Rejects only when the client is gone. */
export async function answerTo(
  request: IncomingMessage,
  rules: ExchangeRules,
  continueReading: () => void,
): Promise<Answer> {
  const refusal = refuseByHead(request, rules);
  if (refusal !== null) return refusal;
  continueReading();
  const body = await readBody(request, rules.maxBodyBytes);
  if (body.kind === 'too-large') return tooLarge(rules);
  const { authentication } = rules;
  if (authentication.kind === 'signature' && !hasSignature(request.headers, authentication.secret, body.bytes)) {
    return unauthorized(authentication);
  }
  const payload = parsePayload(body.bytes);
  if (payload.kind === 'invalid') return { status: 400, body: { error: 'Invalid JSON', detail: payload.problem } };
  if (rules.isStopping()) return STOPPING;
  return offer(eventFrom(payload.value, request.headers), rules);
}

/** Writes the answer. A body that is still coming is discarded for a moment, then the connection is closed. */
export async function send(response: ServerResponse, answer: Answer, isLast: boolean): Promise<void> {
  const text = `${JSON.stringify(answer.body)}\n`;
  const isUnread = hasUnreadBody(response.req);
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...answer.headers,
    ...(isUnread || isLast ? { Connection: 'close' } : {}),
  });
  if (!isUnread) {
    response.end(text);
    return;
  }
  response.write(text);
  await discard(response.req);
  response.end();
}

function refuseByHead(request: IncomingMessage, rules: ExchangeRules): Answer | null {
  if (rules.isStopping()) return STOPPING;
  const path = (request.url ?? '').split('?', 1)[0];
  if (path !== rules.path) return { status: 404, body: { error: 'Not found' } };
  if (request.method !== 'POST') {
    return { status: 405, body: { error: 'Method not allowed', detail: 'expected POST' }, headers: { Allow: 'POST' } };
  }
  if (rules.authentication.kind === 'bearer' && !hasToken(request.headers, rules.authentication.token)) {
    return unauthorized(rules.authentication);
  }
  return announcesTooLarge(request, rules.maxBodyBytes) ? tooLarge(rules) : null;
}

async function offer(event: PluginEvent, rules: ExchangeRules): Promise<Answer> {
  const { log } = rules.ctx;
  let taken: Promise<Receipt>;
  try {
    const offered = rules.ctx.tryEmit(event);
    if (offered === null) return OVERLOADED;
    taken = offered;
  } catch (error) {
    return refusedWith(error, rules);
  }
  const settled = taken.then(
    ({ id }): Answer => {
      log.debug('Webhook event sent', { id, resourceName: event.resourceName });
      return { status: 200, body: { status: 'received', id } };
    },
    (error: unknown) => refusedWith(error, rules),
  );
  // Neither 200 nor 503 would be honest here: the event may still be accepted, or refused.
  const { promise: late, resolve: isLate } = Promise.withResolvers<Answer>();
  const timer = setTimeout(() => {
    log.warn('Webhook event not confirmed in time', { timeoutMs: rules.confirmTimeoutMs });
    isLate(UNCONFIRMED);
  }, rules.confirmTimeoutMs);
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Errors cross the thread boundary without their class: the code is what counts. */
function refusedWith(error: unknown, rules: ExchangeRules): Answer {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const detail = typeof message === 'string' ? message : String(error);
  switch (code) {
    case 'EVENT_ERR_INVALID':
    case 'EVENT_ERR_NOT_SERIALISABLE':
      rules.ctx.log.warn('Webhook event refused', { code, error: detail });
      return { status: 422, body: { error: 'Invalid event', detail } };
    case 'EVENT_ERR_TOO_LARGE':
      return { status: 413, body: { error: 'Payload too large', detail } };
    case 'EVENT_ERR_DROPPED':
      return { ...OVERLOADED, body: { error: 'Event processing overloaded', detail } };
    case 'EVENT_ERR_STOPPING':
    case 'IPC_ERR_CLOSED':
      return STOPPING;
    default:
      rules.ctx.log.error('Webhook event refused', { code, error: detail });
      return { status: 500, body: { error: 'Event not accepted' } };
  }
}

function unauthorized(authentication: Authentication): Answer {
  return { status: 401, body: { error: 'Unauthorized' }, headers: { 'WWW-Authenticate': challengeOf(authentication) } };
}

function tooLarge(rules: ExchangeRules): Answer {
  const detail = `the body must be at most ${rules.maxBodyBytes} bytes (configuration 'maxBodyBytes'); an event holds 64 KiB`;
  return { status: 413, body: { error: 'Payload too large', detail } };
}
