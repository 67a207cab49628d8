/**
 * Speaks to the API server with the connection that is in force at that moment: JSON in and out, or the body of a watch. Every request has a
 * deadline. Credentials that are refused are read anew, once. The library of the Kubernetes project would do this too; it costs 80 MB on disk and
 * 0.4 s at the start, and is loaded only where a kubeconfig has to be read.
 */

import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import type { Clock } from '../../ipc/clock.ts';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { messageOf } from '../../ipc/errors.ts';
import { readText } from './answer-body.ts';
import { ApiError, apiErrorFrom } from './api-error.ts';
import { type ApiTarget, pathOf, type Verb } from './api-target.ts';

/** The end of a connection that this room needs; `ConnectionWatch` is one. */
export interface ConnectionSource {
  readonly connection: KubernetesConnection | null;
  /** Why there is none. */
  readonly problem: string | null;
  renew(): Promise<KubernetesConnection | null>;
}

export interface ApiRequest {
  readonly verb: Verb;
  readonly target: ApiTarget;
  readonly query?: Readonly<Record<string, string>>;
  /** Of a patch: a JSON merge patch. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface ApiClientOptions {
  readonly source: ConnectionSource;
  readonly clock: Clock;
  /** For the head of an answer, and for each part of its body. */
  readonly answerMs?: number;
  /** `status`: null when there was no answer. */
  readonly onAnswer?: (request: ApiRequest, status: number | null) => void;
  /** Wall milliseconds, to the second: what the clock of the server said in an answer. */
  readonly onDate?: (serverMs: number) => void;
}

const METHODS: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};
/** A connection on which nobody answers any more is noticed by the system within half a minute. */
const KEEP_ALIVE_MS = 15_000;

export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #answerMs: number;
  #agent: http.Agent | null = null;
  /** What the agent was made for. */
  #agentKey = '';
  #isClosed = false;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#answerMs = options.answerMs ?? 15_000;
  }

  /** Rejects with an ApiError. */
  async json<T>(request: ApiRequest): Promise<T> {
    const body = await this.stream(request);
    try {
      return JSON.parse(await readText(body, { clock: this.#options.clock, silenceMs: this.#answerMs })) as T;
    } catch (error) {
      throw unanswered(request, `the answer cannot be read: ${messageOf(error)}`, error);
    }
  }

  /** The body of a good answer; whoever takes it reads or destroys it. Rejects with an ApiError. */
  async stream(request: ApiRequest): Promise<Readable> {
    const { source } = this.#options;
    const first = await this.#send(request, source.connection);
    if (first.statusCode !== 401) return this.#judge(request, first);
    first.resume();
    const renewed = await source.renew();
    return this.#judge(request, await this.#send(request, renewed));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#agent?.destroy();
  }

  async #judge(request: ApiRequest, response: http.IncomingMessage): Promise<Readable> {
    const { statusCode: status = 0, headers } = response;
    if (status >= 200 && status < 300) return response;
    const retryAfter = headers['retry-after'];
    const text = await readText(response, { clock: this.#options.clock, silenceMs: this.#answerMs }).catch(() => '');
    const about = { verb: request.verb, target: request.target, status };
    throw apiErrorFrom(parse(text), { ...about, ...(retryAfter !== undefined && { retryAfter }) });
  }

  async #send(request: ApiRequest, connection: KubernetesConnection | null): Promise<http.IncomingMessage> {
    const { source, onAnswer, onDate } = this.#options;
    if (this.#isClosed) throw unanswered(request, 'khook is stopping');
    if (connection === null) throw unanswered(request, `there is no connection: ${source.problem ?? 'none was found'}`);
    try {
      const response = await this.#once(request, connection).catch((error: unknown) => {
        // The server had closed a connection that was kept open: nothing was sent on it.
        if (error instanceof StaleSocketError) return this.#once(request, connection);
        throw error;
      });
      onAnswer?.(request, response.statusCode ?? 0);
      const serverMs = Date.parse(response.headers.date ?? '');
      if (!Number.isNaN(serverMs)) onDate?.(serverMs);
      return response;
    } catch (error) {
      if (request.signal?.aborted !== true) onAnswer?.(request, null);
      const cause = error instanceof StaleSocketError ? error.cause : error;
      throw unanswered(request, `${connection.server} does not answer: ${messageOf(cause)}`, cause);
    }
  }

  #once(request: ApiRequest, connection: KubernetesConnection): Promise<http.IncomingMessage> {
    const { verb, target, query = {}, body, signal } = request;
    const url = new URL(connection.server + pathOf(target));
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const text = body === undefined ? null : JSON.stringify(body);
    const headers: Record<string, string> = { Accept: 'application/json', 'User-Agent': 'khook' };
    if (connection.token !== null) headers.Authorization = `Bearer ${connection.token}`;
    if (text !== null) {
      headers['Content-Type'] = verb === 'patch' ? 'application/merge-patch+json' : 'application/json';
      headers['Content-Length'] = String(Buffer.byteLength(text));
    }
    const agent = this.#agentFor(connection);
    const options = { method: METHODS[verb], headers, agent, ...(signal !== undefined && { signal }) };
    return new Promise((resolve, reject) => {
      const sent = url.protocol === 'http:' ? http.request(url, options) : https.request(url, options);
      const late = new Error(`no answer within ${this.#answerMs / 1_000} s`);
      const timer = this.#options.clock.after(this.#answerMs, () => sent.destroy(late));
      sent.once('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      sent.once('response', (response) => {
        timer.cancel();
        resolve(response);
      });
      // Not `once`: an error of the body comes here a second time.
      sent.on('error', (error: NodeJS.ErrnoException) => {
        timer.cancel();
        const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(isStale ? new StaleSocketError('', { cause: error }) : error);
      });
      sent.end(text ?? undefined);
    });
  }

  /** Another authority or certificate needs other connections. */
  #agentFor({ server, ca, clientCertificate, skipTlsVerify }: KubernetesConnection): http.Agent {
    const key = JSON.stringify([server, ca, clientCertificate, skipTlsVerify]);
    if (this.#agent !== null && this.#agentKey === key) return this.#agent;
    this.#agent?.destroy();
    this.#agentKey = key;
    this.#agent = server.startsWith('http:')
      ? new http.Agent({ keepAlive: true })
      : new https.Agent({
          keepAlive: true,
          rejectUnauthorized: !skipTlsVerify,
          ...(ca !== null && { ca }),
          ...(clientCertificate !== null && clientCertificate),
        });
    return this.#agent;
  }
}

class StaleSocketError extends Error {}

function unanswered({ verb, target }: ApiRequest, message: string, cause?: unknown): ApiError {
  return new ApiError({ verb, target, status: null, reason: '', message, retryAfterMs: null, cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
