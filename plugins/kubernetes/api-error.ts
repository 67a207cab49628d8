/** What the API server answered instead of what was asked for. */

export interface ApiErrorOptions {
  /** HTTP status, or the code of a Status object inside a watch. */
  readonly status: number;
  readonly verb: 'list' | 'watch';
  readonly message: string;
  /** From Retry-After, or null. */
  readonly retryAfterMs: number | null;
  /** Token of a 410 with which a list may go on where it was, at a newer version; or null. */
  readonly continueToken: string | null;
}

export class ApiError extends Error {
  readonly status: number;
  readonly verb: 'list' | 'watch';
  readonly retryAfterMs: number | null;
  readonly continueToken: string | null;

  constructor(options: ApiErrorOptions) {
    super(options.message);
    this.name = 'ApiError';
    this.status = options.status;
    this.verb = options.verb;
    this.retryAfterMs = options.retryAfterMs;
    this.continueToken = options.continueToken;
  }

  /** The version asked for is no longer kept, was never given (after a restored backup), or is none: only a new list helps. */
  get isGone(): boolean {
    if (this.status === 410 || /too large resource version/i.test(this.message)) return true;
    return this.status === 400 && this.verb === 'watch';
  }

  get isDenied(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

const MESSAGE_LIMIT = 500;

/** `body`: a Status object as the API server writes it, or whatever a proxy in between wrote. */
export function apiErrorFrom(
  body: unknown,
  head: { status: number; verb: 'list' | 'watch'; retryAfter?: string | undefined },
): ApiError {
  const status = (typeof body === 'object' && body !== null ? body : {}) as {
    code?: unknown;
    message?: unknown;
    metadata?: { continue?: unknown };
  };
  const code = typeof status.code === 'number' ? status.code : head.status;
  const said = typeof status.message === 'string' ? status.message : typeof body === 'string' ? body : '';
  const seconds = Number(head.retryAfter ?? Number.NaN);
  const token = status.metadata?.continue;
  return new ApiError({
    status: code,
    verb: head.verb,
    message: `the API server answered ${code}${said === '' ? '' : `: ${said.trim().slice(0, MESSAGE_LIMIT)}`}`,
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null,
    continueToken: typeof token === 'string' && token !== '' ? token : null,
  });
}
