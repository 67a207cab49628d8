/** An A2A agent by hand, over node:http, that does whatever a test tells it to. Speaks 1.0, 0.3 or both. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type TaskState = 'submitted' | 'working' | 'completed' | 'failed' | 'rejected' | 'canceled' | 'input-required';

export interface AgentCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly params: Record<string, unknown>;
  /** Of a message; empty for everything else. */
  readonly messageId: string;
  readonly contextId: string;
  readonly text: string;
}

export type Reaction =
  | { readonly kind: 'works' }
  | { readonly kind: 'message' }
  | { readonly kind: 'hangs' }
  | { readonly kind: 'resets' }
  | { readonly kind: 'says'; readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
  | { readonly kind: 'rpc-error'; readonly code: number; readonly message: string };

export const WORKS: Reaction = { kind: 'works' };

export interface Manners {
  /** Default 'both'. */
  readonly speaks?: 'both' | '1.0' | '0.3';
  /** Asked for every message sent, with the number of messages before it. */
  readonly onSend?: (call: AgentCall, before: number) => Reaction;
  /** Asked for every question about a task, with the number of questions before it. */
  readonly onAsk?: (call: AgentCall, before: number) => Reaction;
  /** States a task goes through, one per answer; the last one stays. Default: working, completed. */
  readonly states?: readonly TaskState[];
  readonly onSession?: (call: AgentCall) => Reaction;
}

interface TaskOfAgent {
  step: number;
}

export class MisbehavingAgent {
  readonly calls: AgentCall[] = [];
  /** messageId → how often it was taken (not refused). */
  readonly taken = new Map<string, number>();
  readonly #tasks = new Map<string, TaskOfAgent>();
  /** Method → calls so far. */
  readonly #counts = new Map<string, number>();
  #manners: Manners;
  #server: Server | null = null;
  #port = 0;
  #connections = 0;

  constructor(manners: Manners = {}) {
    this.#manners = manners;
  }

  static async start(manners: Manners = {}): Promise<MisbehavingAgent> {
    const agent = new MisbehavingAgent(manners);
    await agent.listen();
    return agent;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get openConnections(): number {
    return this.#connections;
  }

  get sends(): readonly AgentCall[] {
    return this.calls.filter(({ method }) => method === 'SendMessage' || method === 'message/send');
  }

  get sessions(): readonly AgentCall[] {
    return this.calls.filter(({ method }) => method === 'session');
  }

  reform(manners: Manners): void {
    this.#manners = manners;
  }

  /** Forgets its tasks, as a restart does. */
  forget(): void {
    this.#tasks.clear();
  }

  /** Again on the same port, after `stop`. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      // A client may go away in the middle of its request.
      this.#serve(request, response).catch(() => response.destroy());
    });
    server.on('connection', (socket) => {
      this.#connections += 1;
      socket.once('close', () => {
        this.#connections -= 1;
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as Record<string, unknown>;
    const path = request.url ?? '/';
    const call = callOf({ path, headers: request.headers, body });
    const before = this.#counts.get(call.method) ?? 0;
    this.#counts.set(call.method, before + 1);
    this.calls.push(call);
    const { onSend, onAsk, onSession, speaks = 'both' } = this.#manners;
    if (call.method === 'session') {
      react(response, body.id, onSession?.(call) ?? { kind: 'says', status: 404, body: 'not found' }, () => ({}));
      return;
    }
    const isCurrent = request.headers['a2a-version'] === '1.0';
    if (speaks === '1.0' && !isCurrent) {
      const text = 'missing required A2A-Version header; expected "1.0"';
      react(response, body.id, { kind: 'says', status: 400, body: text }, () => ({}));
      return;
    }
    const isSend = call.method === 'SendMessage' || call.method === 'message/send';
    const isAsk = call.method === 'GetTask' || call.method === 'tasks/get';
    const isKnown = speaks === '0.3' ? call.method.includes('/') : isSend || isAsk;
    if (!isKnown) {
      react(response, body.id, { kind: 'rpc-error', code: -32_601, message: 'method not found' }, () => ({}));
      return;
    }
    const reaction = (isSend ? onSend : onAsk)?.(call, before) ?? WORKS;
    react(response, body.id, reaction, () =>
      isSend ? this.#take(call, isCurrent && speaks !== '0.3') : this.#tell(call, isCurrent && speaks !== '0.3'),
    );
  }

  #take({ messageId }: AgentCall, isCurrent: boolean): object {
    this.taken.set(messageId, (this.taken.get(messageId) ?? 0) + 1);
    const id = `task-${messageId}`;
    if (!this.#tasks.has(id)) this.#tasks.set(id, { step: 0 });
    const task = this.#task(id, isCurrent);
    return isCurrent ? { result: { task } } : { result: task };
  }

  #tell({ params }: AgentCall, isCurrent: boolean): object {
    const task = this.#task(String(params.id), isCurrent);
    return task === null ? { error: { code: -32_001, message: 'Task not found' } } : { result: task };
  }

  #task(id: string, isCurrent: boolean): object | null {
    const task = this.#tasks.get(id);
    if (task === undefined) return null;
    const states = this.#manners.states ?? ['working', 'completed'];
    const state = states[Math.min(task.step, states.length - 1)] ?? 'completed';
    task.step += 1;
    if (!isCurrent) return { kind: 'task', id, contextId: 'c', status: { state } };
    return { id, contextId: 'c', status: { state: `TASK_STATE_${state.toUpperCase().replaceAll('-', '_')}` } };
  }
}

function callOf({
  path,
  headers,
  body,
}: Pick<AgentCall, 'path' | 'headers'> & { body: Record<string, unknown> }): AgentCall {
  const params = (body.params ?? body) as Record<string, unknown>;
  const message = (params.message ?? {}) as { messageId?: string; contextId?: string; parts?: { text?: string }[] };
  return {
    method: path.startsWith('/api/sessions') ? 'session' : String(body.method),
    path,
    headers,
    params,
    messageId: message.messageId ?? '',
    contextId: message.contextId ?? '',
    text: message.parts?.[0]?.text ?? '',
  };
}

function react(response: ServerResponse, id: unknown, reaction: Reaction, work: () => object): void {
  const send = (status: number, body: string, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(body);
  };
  switch (reaction.kind) {
    case 'works':
      send(200, JSON.stringify({ jsonrpc: '2.0', id, ...work() }));
      break;
    case 'message': {
      work();
      const message = { messageId: 'answer', role: 'ROLE_AGENT', parts: [{ text: 'done' }] };
      send(200, JSON.stringify({ jsonrpc: '2.0', id, result: { message } }));
      break;
    }
    case 'hangs':
      break;
    case 'resets':
      response.socket?.resetAndDestroy();
      break;
    case 'says':
      send(reaction.status, reaction.body, reaction.headers);
      break;
    case 'rpc-error': {
      const { code, message } = reaction;
      send(200, JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } }));
      break;
    }
  }
}
