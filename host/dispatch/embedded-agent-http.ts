/** The embedded agent's door: JSON-RPC of A2A 1.0 and 0.3 on any path, its card at the well-known ones. Loopback, but a web page can reach that too. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { AgentCard, formatSSEErrorEvent, formatSSEEvent, SSE_HEADERS } from '@a2a-js/sdk';
import { LegacyJsonRpcTransportHandler } from '@a2a-js/sdk/compat/v0_3/server';
import {
  type DefaultRequestHandler,
  JsonRpcTransportHandler,
  ServerCallContext,
  validateVersion,
} from '@a2a-js/sdk/server';

export const MAX_REQUEST_BYTES = 1024 * 1024;
/** Keys of what the executor finds in the call's state. */
export const AGENT_OF_PATH = 'khook.agent';
export const USER_ID = 'khook.userId';

const CARD_PATH = /\/\.well-known\/agent(-card)?\.json$/;
const AGENT_PATH = /^\/api\/a2a\/([^/]+)\/([^/]+)/;

/** JSON-RPC's code for what is not a request. */
const RPC_INVALID_REQUEST = -32_600;

export interface EmbeddedAgentHttpOptions {
  readonly handler: DefaultRequestHandler;
  readonly card: AgentCard;
}

export class EmbeddedAgentHttp {
  readonly #card: AgentCard;
  readonly #cardBody: string;
  readonly #current: JsonRpcTransportHandler;
  readonly #legacy: LegacyJsonRpcTransportHandler;

  constructor({ handler, card }: EmbeddedAgentHttpOptions) {
    this.#card = card;
    this.#cardBody = JSON.stringify(cardForBoth(card));
    this.#current = new JsonRpcTransportHandler(handler);
    this.#legacy = new LegacyJsonRpcTransportHandler(handler);
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    try {
      if (request.method === 'GET' && CARD_PATH.test(path)) sendJson(response, 200, this.#cardBody);
      else if (request.method !== 'POST' || path === '/api/sessions')
        refuse(response, 404, `there is nothing at ${path}`);
      // A page in a browser may post to loopback, but not JSON without asking first.
      else if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
        refuse(response, 415, 'the content type must be application/json');
      else await this.#answerRpc(request, response, path);
    } catch (error) {
      // The connection broke, or the SDK threw where it answers otherwise.
      if (response.headersSent) response.destroy();
      else refuse(response, 500, error instanceof Error ? error.message : 'unknown');
    }
  }

  async #answerRpc(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const body = await readBody(request);
    if (body === null) {
      response.setHeader('Connection', 'close');
      refuse(response, 413, `a request may have ${MAX_REQUEST_BYTES} bytes`);
      return;
    }
    // Without the header it is 0.3, says the specification.
    const version = String(request.headers['a2a-version'] ?? '') || '0.3';
    const isLegacy = version.startsWith('0.');
    const [, namespace, name] = AGENT_PATH.exec(path) ?? [];
    const state = new Map<string, unknown>([[USER_ID, request.headers['x-user-id'] ?? '']]);
    if (namespace !== undefined && name !== undefined) state.set(AGENT_OF_PATH, `${decode(namespace)}/${decode(name)}`);
    const context = new ServerCallContext({ requestedVersion: isLegacy ? '0.3' : version, state });
    try {
      validateVersion(context.requestedVersion, this.#card, 'JSONRPC');
    } catch (error) {
      sendJson(response, 200, rpcError(JsonRpcTransportHandler.mapToJSONRPCError(error)));
      return;
    }
    const answer = await (isLegacy ? this.#legacy : this.#current).handle(body, context);
    if (Symbol.asyncIterator in answer) await sendEvents(response, answer);
    else sendJson(response, 200, JSON.stringify(answer));
  }
}

/** 1.0 and 0.3 name different fields, so one document is a card to both. */
function cardForBoth(card: AgentCard): object {
  const url = card.supportedInterfaces[0]?.url ?? '';
  return { ...(AgentCard.toJSON(card) as object), url, protocolVersion: '0.3.0', preferredTransport: 'JSONRPC' };
}

async function sendEvents(response: ServerResponse, events: AsyncIterable<unknown>): Promise<void> {
  response.writeHead(200, SSE_HEADERS);
  try {
    for await (const event of events) {
      if (response.destroyed) return;
      response.write(formatSSEEvent(event));
    }
  } catch (error) {
    response.write(formatSSEErrorEvent(JsonRpcTransportHandler.mapToJSONRPCError(error)));
  }
  response.end();
}

/** null when it is too large; what is left of it is not read. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, rpcError({ code: RPC_INVALID_REQUEST, message: `khook embedded agent: ${message}` }));
}

function rpcError(error: { code: number; message: string }): string {
  return JSON.stringify({ jsonrpc: '2.0', id: null, error });
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(body);
}
