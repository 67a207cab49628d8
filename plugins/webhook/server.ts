// Runs in the plugin thread.
/**
 * The HTTP server: its limits, its life, and nothing of what a request means.
 *
 *  idle ──start──▶ listening ──server error──▶ failed
 *                      └─────────stop──────────────┴──▶ stopped
 *
 * listening: healthy; each request is answered.  failed: still answers what it can, but is unhealthy, so that the host recycles
 * the plugin.  stopped: refuses new connections; requests in flight are finished for STOP_GRACE_MS, then cut.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { PluginContext } from 'khook/plugin';
import type { Authentication } from './authentication.ts';
import type { WebhookConfig } from './config.ts';
import { answerTo, type ExchangeRules, send } from './exchange.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Silence of a socket, in either direction. Longer than CONFIRM_TIMEOUT_MS: the answer comes first. */
const SOCKET_TIMEOUT_MS = 10_000;
const CONFIRM_TIMEOUT_MS = 9_000;
const KEEP_ALIVE_MS = 5_000;
const CHECK_INTERVAL_MS = 1_000;
const MAX_CONNECTIONS = 512;
const MAX_HEADER_BYTES = 8 * 1024;
/** Below the host's stopTimeout of 5 s: the plugin ends by itself. */
const STOP_GRACE_MS = 4_000;

export interface ServerTimes {
  readonly requestTimeoutMs: number;
  readonly confirmTimeoutMs: number;
  readonly stopGraceMs: number;
}

const TIMES: ServerTimes = {
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  confirmTimeoutMs: CONFIRM_TIMEOUT_MS,
  stopGraceMs: STOP_GRACE_MS,
};

export interface WebhookServerOptions {
  readonly ctx: PluginContext;
  readonly config: WebhookConfig;
  readonly authentication: Authentication;
  readonly times?: Partial<ServerTimes>;
}

type State = { readonly kind: 'idle' | 'listening' | 'failed' | 'stopped' };

export class WebhookServer {
  readonly #ctx: PluginContext;
  readonly #config: WebhookConfig;
  readonly #times: ServerTimes;
  readonly #rules: ExchangeRules;
  readonly #server: Server;
  readonly #responses: ReturnType<PluginContext['metrics']['counter']>;
  /** Every open socket with its number of unanswered requests. Bounded by MAX_CONNECTIONS. */
  readonly #sockets = new Map<Socket, number>();
  #state: State = { kind: 'idle' };

  constructor({ ctx, config, authentication, times }: WebhookServerOptions) {
    this.#ctx = ctx;
    this.#config = config;
    this.#times = { ...TIMES, ...times };
    this.#responses = ctx.metrics.counter({
      name: 'webhook_responses_total',
      help: 'Answers of the webhook by status.',
    });
    this.#rules = {
      ctx,
      path: config.path,
      authentication,
      maxBodyBytes: config.maxBodyBytes,
      confirmTimeoutMs: this.#times.confirmTimeoutMs,
      isStopping: () => this.#state.kind === 'stopped' || ctx.signal.aborted,
    };
    this.#server = this.#build();
  }

  get isListening(): boolean {
    return this.#state.kind === 'listening' && this.#server.listening;
  }

  /** Resolves once the port is open. Rejects with what to do about it when it cannot be. */
  async start(): Promise<void> {
    const { host, port, path, auth } = this.#config;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject).listen({ host, port }, resolve);
    try {
      await promise;
    } catch (error) {
      const failure = listenFailure(error as NodeJS.ErrnoException, host, port);
      this.#ctx.log.error('Webhook server failed', { error: failure.message });
      throw failure;
    }
    this.#server.off('error', reject).on('error', (error) => this.#fail(error));
    this.#state = { kind: 'listening' };
    const { address, port: actual } = this.#server.address() as AddressInfo;
    this.#ctx.log.info('Webhook server started', { address: `${address}:${actual}`, path, auth });
  }

  /** Finishes what is being answered, closes every other connection at once. Idempotent. */
  async stop(): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    this.#state = { kind: 'stopped' };
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const [socket, unanswered] of this.#sockets) if (unanswered === 0) socket.destroy();
    const timer = setTimeout(() => this.#server.closeAllConnections(), this.#times.stopGraceMs);
    await closed;
    clearTimeout(timer);
    this.#ctx.log.info('Webhook server stopped');
  }

  #build(): Server {
    const server = createServer({
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, this.#times.requestTimeoutMs),
      requestTimeout: this.#times.requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Node looks for late requests only this often; its default of 30 s would make the two timeouts above mean little.
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, this.#times.requestTimeoutMs / 4),
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.setTimeout(SOCKET_TIMEOUT_MS);
    server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, 0);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('drop', () => this.#responses.inc(1, { status: 'dropped' }));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#exchange(request, response, () => {});
    });
    // Expect: 100-continue. What the headers already forbid is refused before the body is sent.
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      void this.#exchange(request, response, () => response.writeContinue());
    });
    return server;
  }

  async #exchange(request: IncomingMessage, response: ServerResponse, continueReading: () => void): Promise<void> {
    const { socket } = request;
    this.#count(socket, 1);
    response.once('close', () => this.#count(socket, -1));
    try {
      const answer = await answerTo(request, this.#rules, continueReading);
      this.#responses.inc(1, { status: String(answer.status) });
      await send(response, answer, this.#rules.isStopping());
    } catch (error) {
      this.#ctx.log.debug('Webhook request broke off', { error: (error as Error).message });
      response.destroy();
    }
  }

  #count(socket: Socket, change: 1 | -1): void {
    const unanswered = this.#sockets.get(socket);
    if (unanswered === undefined) return;
    this.#sockets.set(socket, unanswered + change);
    // A client that would keep the connection alive must not hold the stop.
    if (this.#state.kind === 'stopped' && unanswered + change === 0) socket.destroySoon();
  }

  #fail(error: Error): void {
    if (this.#state.kind !== 'listening') return;
    this.#state = { kind: 'failed' };
    this.#ctx.log.error('Webhook server failed', { error: error.message });
    this.#ctx
      .emit({
        type: 'webhook-error',
        resourceName: 'webhook-server',
        message: error.message === '' ? 'the webhook server failed' : error.message,
        reason: 'ServerError',
      })
      .catch((refusal: Error) => this.#ctx.log.warn('Webhook error event refused', { error: refusal.message }));
  }
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const remedies: Record<string, string> = {
    EADDRINUSE: `the port is in use: stop what listens on ${port}, or set another 'port' in the plugin's config`,
    EACCES: `not allowed: grant "net: { listen: [${port}] }" in plugins.yaml; a port below 1024 also needs privileges`,
    EADDRNOTAVAIL: "the address is not one of this machine: correct 'host' in the plugin's config",
    ENOTFOUND: "the name has no address: correct 'host' in the plugin's config",
  };
  const remedy = remedies[error.code ?? ''] ?? error.message;
  return Object.assign(new Error(`cannot listen on ${host}:${port}: ${remedy}`, { cause: error }), {
    code: error.code,
  });
}
