/** What the API server answered instead of what was asked for, or that it did not answer. */

import { HostError } from '../base/errors.ts';
import { type ApiTarget, resourceOf, type Verb } from './api-target.ts';

export interface ApiErrorOptions {
  readonly verb: Verb;
  readonly target: ApiTarget;
  /** HTTP status, or the code of a Status object inside a watch; null: there was no answer. */
  readonly status: number | null;
  /** Of the Status object: `Forbidden`, `Conflict`, `Expired`, …; empty when there was none. */
  readonly reason: string;
  readonly message: string;
  /** How long the server asked to be left alone. */
  readonly retryAfterMs: number | null;
  readonly cause?: unknown;
}

export class ApiError extends HostError {
  readonly verb: Verb;
  readonly target: ApiTarget;
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  readonly #reason: string;

  constructor({ verb, target, status, reason, message, retryAfterMs, cause }: ApiErrorOptions) {
    const code = status === null ? 'HOST_ERR_CLUSTER_UNREACHABLE' : 'HOST_ERR_CLUSTER_REFUSED';
    super(code, `${verb} ${resourceOf(target)}: ${message}`, cause === undefined ? {} : { cause });
    this.name = 'ApiError';
    this.verb = verb;
    this.target = target;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.#reason = reason;
  }

  /** The version that was asked for is no longer kept: only a new list helps. */
  get isGone(): boolean {
    return this.status === 410 || this.#reason === 'Expired' || this.#reason === 'Gone';
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }

  /** Somebody else changed the object meanwhile. */
  get isConflict(): boolean {
    return this.status === 409 && this.#reason !== 'AlreadyExists';
  }

  get isAlreadyThere(): boolean {
    return this.status === 409 && this.#reason === 'AlreadyExists';
  }

  /** RBAC does not allow it. That a namespace is being deleted is told by the same status. */
  get isForbidden(): boolean {
    return this.status === 403 && !/because it is being terminated/.test(this.message);
  }

  /** The object as it was sent will never be taken. */
  get isInvalid(): boolean {
    return this.status === 400 || this.status === 413 || this.status === 422;
  }
}

interface Status {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: { readonly retryAfterSeconds?: unknown };
}

const MAX_MESSAGE = 1_024;
const MAX_RETRY_AFTER_S = 300;

/** From the body of an answer, or from the object of an ERROR line. `status`: what HTTP said, where there was HTTP. */
export function apiErrorFrom(
  body: unknown,
  about: { readonly verb: Verb; readonly target: ApiTarget; readonly status: number; readonly retryAfter?: string },
): ApiError {
  const { code, reason, message, details }: Status = typeof body === 'object' && body !== null ? body : {};
  const seconds = Number(about.retryAfter ?? details?.retryAfterSeconds ?? Number.NaN);
  const status = typeof code === 'number' ? code : about.status;
  const text = typeof message === 'string' && message !== '' ? message : `it answered ${status}`;
  return new ApiError({
    verb: about.verb,
    target: about.target,
    status,
    reason: typeof reason === 'string' ? reason : '',
    message: text.slice(0, MAX_MESSAGE),
    retryAfterMs: seconds >= 0 ? Math.min(seconds, MAX_RETRY_AFTER_S) * 1_000 : null,
  });
}
