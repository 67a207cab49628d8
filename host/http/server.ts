/**
 * A small HTTP server: routes in, bounded requests, no framework. It reads snapshots and never waits for a plugin, except where a
 * route of the admin server says so.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import { EventStream, SSE_TYPE } from './event-stream.ts';
import { failure, type Reply, refusal, type StreamReply } from './reply.ts';
import { readJson } from './request-body.ts';
import { findRoute, listRoutes, type Route } from './route.ts';
import type { Stream } from './stream.ts';

export interface HttpServerOptions {
  /** As in messages: `metrics`. */
  readonly name: string;
  /** What changes its port, for the message when the port is taken: `--metrics-port or METRICS_PORT`. */
  readonly portSetting: string;
  readonly routes: readonly Route[];
  readonly clock: Clock;
  /** Looks at a request before anything else; a reply refuses it. */
  readonly guard?: (request: IncomingMessage) => Reply | null;
  /** An answer failed for a reason that is not the caller's. */
  readonly onError?: (error: unknown, request: string) => void;
  /** How long requests under way may take when the server stops. Default 2 s. */
  readonly graceMs?: number;
}

const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** Clients that listen at once. */
const MAX_STREAMS = 16;

/** Bytes of a refused body that are read and thrown away so that the client gets to read the refusal. */
const DISCARD_BYTES = 16 * 1024 * 1024;

export class HttpServer implements AsyncDisposable {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #streams = new Set<EventStream>();
  #isStopping = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#server = createServer({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 16 * 1024,
    });
    this.#server.maxConnections = 2_048;
    const serve = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response);
    this.#server.on('request', serve);
    // Without `100 Continue` a client with a large body waits, and gets its refusal before it sends anything.
    this.#server.on('checkContinue', (request, response) => {
      if (Number(request.headers['content-length'] ?? 0) <= DISCARD_BYTES) response.writeContinue();
      serve(request, response);
    });
  }

  /** Resolves to the bound port; `port` 0 takes a free one. Rejects with HOST_ERR_PORT. */
  start({ port, host }: { readonly port: number; readonly host: string }): Promise<number> {
    return new Promise((resolve, reject) => {
      const onError = (error: unknown): void => reject(this.#portError(error, port, host));
      this.#server.once('error', onError);
      this.#server.listen({ port, host }, () => {
        this.#server.off('error', onError);
        // An error of the listening socket later on (out of descriptors) must not become an uncaught one.
        this.#server.on('error', (error) => this.#options.onError?.(error, 'listen'));
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** No new connections; those under way have the grace period, then they are closed. */
  stop(): Promise<void> {
    this.#isStopping = true;
    for (const stream of this.#streams) stream.end();
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(this.#options.graceMs ?? 2_000, () => this.#server.closeAllConnections());
      // Closes idle connections itself; the others answer with `Connection: close`.
      this.#server.close(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A connection that breaks is the client's affair.
    response.on('error', () => {});
    request.on('error', () => {});
    let reply: Reply | StreamReply;
    try {
      reply = this.#options.guard?.(request) ?? (await this.#answer(request));
    } catch (error) {
      reply = failure(error);
      if (reply.status === 500) this.#options.onError?.(error, `${request.method} ${request.url?.slice(0, 200)}`);
    }
    if ('stream' in reply) this.#open(request, response, reply.stream);
    else this.#send(request, response, reply);
  }

  async #answer(request: IncomingMessage): Promise<Reply | StreamReply> {
    const { routes } = this.#options;
    const method = request.method ?? '';
    const url = URL.parse(request.url ?? '', 'http://localhost');
    if (url === null) return refusal(400, 'the request target is not a path');
    const match = findRoute(routes, method, url.pathname);
    if (match.kind === 'unknown') {
      const error = `there is no ${url.pathname.slice(0, 200)} on the ${this.#options.name} port`;
      return refusal(404, error, { routes: listRoutes(routes) });
    }
    if (match.kind === 'wrong-method') {
      const allowed = match.allowed.join(', ');
      const error = `${url.pathname.slice(0, 200)} does not take ${method}, only ${allowed}`;
      return { ...refusal(405, error, { routes: listRoutes(routes) }), headers: { Allow: allowed } };
    }
    const { route, params } = match;
    if (route.readsBody !== true) return route.answer({ params, query: url.searchParams, body: undefined });
    const body = await readJson(request);
    if (body.kind === 'refused') return body.reply;
    return route.answer({ params, query: url.searchParams, body: body.value });
  }

  #open(request: IncomingMessage, response: ServerResponse, begin: Stream): void {
    if (this.#streams.size >= MAX_STREAMS || this.#isStopping) {
      const why = this.#isStopping ? 'khook is stopping' : `${MAX_STREAMS} clients listen already, end one of them`;
      this.#send(request, response, refusal(503, why));
      return;
    }
    response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': SSE_TYPE, Connection: 'close' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.flushHeaders();
    if (response.destroyed) return;
    let stop = (): void => undefined;
    const stream = new EventStream(response, {
      clock: this.#options.clock,
      onClosed: () => {
        this.#streams.delete(stream);
        stop();
      },
    });
    this.#streams.add(stream);
    stop = begin(stream);
  }

  #send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
    if (response.destroyed) return;
    const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
    const hasUnread = !request.complete && hasBody(request);
    response.writeHead(reply.status, {
      ...SECURITY_HEADERS,
      ...reply.headers,
      'Content-Type': reply.contentType,
      'Content-Length': body.byteLength,
      ...(hasUnread || this.#isStopping ? { Connection: 'close' } : {}),
    });
    if (!hasUnread) {
      response.end(request.method === 'HEAD' ? undefined : body);
      return;
    }
    // Closing a socket that has unread input resets it, and the client may lose the answer: so the rest is read first, up to a bound.
    if (request.method === 'HEAD') response.flushHeaders();
    else response.write(body);
    let left = DISCARD_BYTES;
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) request.destroy();
    });
    request.once('close', () => response.end());
    request.once('end', () => response.end());
    request.resume();
  }

  #portError(error: unknown, port: number, host: string): unknown {
    const code = codeOf(error);
    const { name, portSetting } = this.#options;
    const where = `port ${port} on ${host} for the ${name} server`;
    const next = `choose another with ${portSetting}`;
    const options = { kind: 'user', cause: error } as const;
    if (code === 'EADDRINUSE') {
      const message = `${where} is taken by another process; stop that one (ss -ltnp 'sport = :${port}') or ${next}`;
      return new HostError('HOST_ERR_PORT', message, options);
    }
    if (code === 'EACCES') {
      return new HostError(
        'HOST_ERR_PORT',
        `khook may not bind ${where}; ports below 1024 need privileges, ${next}`,
        options,
      );
    }
    if (code === 'EADDRNOTAVAIL') {
      const message = `${where} cannot be had: no interface of this machine has that address; choose another with --listen-address`;
      return new HostError('HOST_ERR_PORT', message, options);
    }
    return new HostError('HOST_ERR_PORT', `cannot listen on ${where}: ${messageOf(error)}; ${next}`, options);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
