/**
 * HTTP towards agents: own connection pools (so that closing leaves no socket behind), a deadline per request, bounded answers,
 * no redirects, and X-User-Id on everything. The A2A SDK uses it in place of `fetch`.
 */

import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import { adviceFor, agentError, quote } from './agent-error.ts';

/** The largest answer that is read. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

const POOL = { keepAlive: true, maxSockets: 256, maxFreeSockets: 16, timeout: 15_000 };

export interface AgentHttpOptions {
  readonly userId: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface AgentRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal | null;
}

export interface AgentAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export class AgentHttp {
  readonly #options: AgentHttpOptions;
  readonly #http = new http.Agent(POOL);
  readonly #https = new https.Agent(POOL);

  constructor(options: AgentHttpOptions) {
    this.#options = options;
  }

  /** For the SDK. Answers below 300 only; everything else is thrown as HOST_ERR_AGENT_*. */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    const answer = await this.post({
      url,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: typeof init.body === 'string' ? init.body : '',
      signal: init.signal ?? null,
    });
    if (answer.status >= 300) throw this.#refusal(url, answer);
    return new Response(answer.text, { headers: { 'content-type': 'application/json' } });
  };

  /** Any answer is an answer; rejects with HOST_ERR_AGENT_UNREACHABLE, _TIMEOUT, _REFUSED (too large) or HOST_ERR_STOPPING. */
  async post(request: AgentRequest): Promise<AgentAnswer> {
    try {
      return await this.#exchange(request, true);
    } catch (error) {
      // A pooled connection was reset: most likely the server closed it while idle and nobody read the request. A fresh one tells.
      if (error instanceof StaleConnection) return await this.#exchange(request, false);
      throw error;
    }
  }

  /** Ends every connection, the busy ones too. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #exchange(request: AgentRequest, isPooled: boolean): Promise<AgentAnswer> {
    const { url, body, signal } = request;
    const { clock, userId } = this.#options;
    const timeoutMs = request.timeoutMs ?? this.#options.timeoutMs;
    return new Promise((resolve, reject) => {
      const target = new URL(url);
      const isSecure = target.protocol === 'https:';
      const pool = isSecure ? this.#https : this.#http;
      const call = (isSecure ? https : http).request(target, {
        method: 'POST',
        agent: isPooled ? pool : false,
        headers: { ...request.headers, 'X-User-Id': userId, 'Content-Length': Buffer.byteLength(body) },
      });
      const fail = (error: Error): void => {
        finish();
        reject(error);
        call.destroy();
      };
      const timer = clock.after(timeoutMs, () => fail(timedOut(url, timeoutMs, call.socket?.connecting !== false)));
      const onAbort = (): void => fail(new HostError('HOST_ERR_STOPPING', `The request to ${url} was ended.`));
      const finish = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      // First of all: a request that is destroyed without this listener would end the process.
      call.on('error', (error) => {
        const isStale = isPooled && call.reusedSocket && codeOf(error) === 'ECONNRESET';
        fail(isStale ? new StaleConnection() : unreachable(url, error));
      });
      if (signal?.aborted) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      call.on('response', (response) => {
        readBounded(response, MAX_ANSWER_BYTES).then(
          (text) => {
            finish();
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
          },
          (error) => fail(error instanceof TooLarge ? tooLarge(url) : unreachable(url, error)),
        );
      });
      call.end(body);
    });
  }

  #refusal(url: string, { status, headers, text }: AgentAnswer): HostError {
    const rpc = rpcErrorOf(text);
    const retryAfterMs = retryAfter(headers['retry-after'], this.#options.clock.wall());
    const where = headers.location === undefined ? '' : ` with the location ${quote(headers.location)}`;
    return agentError({
      code: 'HOST_ERR_AGENT_REFUSED',
      url,
      status,
      what: `answered with HTTP ${status}${where}: ${quote(rpc?.message ?? text) || 'no text'}`,
      advice: adviceFor(status),
      ...(rpc === null ? {} : { rpcCode: rpc.code }),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
}

class StaleConnection extends Error {}
class TooLarge extends Error {}

/** Milliseconds from now that a Retry-After header names (seconds or a date), or null. */
export function retryAfter(header: string | undefined, wall: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - wall);
}

/** The error of a JSON-RPC answer, or null. */
function rpcErrorOf(text: string): { readonly code: number; readonly message: string } | null {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    return typeof error?.code === 'number' ? { code: error.code, message: String(error.message) } : null;
  } catch {
    return null;
  }
}

async function readBounded(message: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(url: string, cause: unknown): HostError {
  const why = codeOf(cause) || quote(messageOf(cause));
  return agentError({
    code: 'HOST_ERR_AGENT_UNREACHABLE',
    url,
    ...(isUnsent(cause) ? { isUnsent: true } : {}),
    what: `could not be reached (${why})`,
    advice: 'Check that it runs, and KAGENT_API_URL or --agent-url.',
    cause,
  });
}

/** It failed before there was a connection: at looking up the name, or at connecting to each address. */
function isUnsent(cause: unknown): boolean {
  const { syscall, errors } = cause as { syscall?: unknown; errors?: unknown };
  if (Array.isArray(errors)) return errors.length > 0 && errors.every(isUnsent);
  return syscall === 'connect' || syscall === 'getaddrinfo';
}

function timedOut(url: string, timeoutMs: number, isUnsent: boolean): HostError {
  return agentError({
    code: 'HOST_ERR_AGENT_TIMEOUT',
    url,
    ...(isUnsent ? { isUnsent } : {}),
    what: `did not answer within ${timeoutMs} ms`,
    advice: 'Check the agent, or raise KAGENT_API_TIMEOUT.',
  });
}

function tooLarge(url: string): HostError {
  return agentError({
    code: 'HOST_ERR_AGENT_REFUSED',
    url,
    what: `answered with more than ${MAX_ANSWER_BYTES} bytes`,
    advice: 'Check that the URL is that of an A2A agent, and let the agent write less.',
  });
}
