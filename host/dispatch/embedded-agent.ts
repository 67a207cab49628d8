/**
 * The agent of a khook without a cluster: a real A2A agent on a port of its own, by the server half of the SDK. It does
 * nothing but remember and show what it was asked.
 */

import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentCard, TaskState, type TaskStatus } from '@a2a-js/sdk';
import { AgentEvent, type AgentExecutor, DefaultRequestHandler } from '@a2a-js/sdk/server';
import type { Clock } from '../../ipc/clock.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import { textOf, textPart } from './a2a-message.ts';
import { AGENT_OF_PATH, EmbeddedAgentHttp, USER_ID } from './embedded-agent-http.ts';
import { TaskShelf } from './task-shelf.ts';

export interface AgentPrompt {
  /** `namespace/name` of the path, or `embedded`. */
  readonly agent: string;
  /** Cut at PROMPT_LIMIT characters. */
  readonly prompt: string;
  readonly messageId: string;
  readonly contextId: string;
  readonly userId: string;
  /** Wall milliseconds. */
  readonly at: number;
}

export interface EmbeddedAgentOptions {
  /** 0 = any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly onPrompt?: (prompt: AgentPrompt) => void;
}

const PROMPTS_KEPT = 100;
const PROMPT_LIMIT = 8_192;
const TASKS_KEPT = 1_000;
const HOST = '127.0.0.1';

export class EmbeddedAgent {
  readonly #server: Server;
  readonly #prompts: AgentPrompt[] = [];
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** Rejects with HOST_ERR_PORT when the port cannot be had. */
  static async start({ port, clock, onPrompt = () => undefined }: EmbeddedAgentOptions): Promise<EmbeddedAgent> {
    const server = createServer();
    await listen(server, port);
    const url = `http://${HOST}:${(server.address() as AddressInfo).port}/`;
    const agent = new EmbeddedAgent(server, url);
    const executor = executorFor(clock, (prompt) => {
      agent.#prompts.push(prompt);
      if (agent.#prompts.length > PROMPTS_KEPT) agent.#prompts.shift();
      onPrompt(prompt);
    });
    const card = cardAt(url);
    const handler = new DefaultRequestHandler(card, new TaskShelf(TASKS_KEPT), executor);
    const door = new EmbeddedAgentHttp({ handler, card });
    server.on('request', (request, response) => void door.answer(request, response));
    return agent;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Newest last. */
  prompts(): readonly AgentPrompt[] {
    return [...this.#prompts];
  }

  /** Ends open connections too: a client's keep-alive must not hold the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.once('close', resolve));
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `The embedded agent cannot listen on ${HOST}:${port} (${codeOf(cause) || messageOf(cause)}). Free the port, or give another (--agent-port).`;
      reject(new HostError('HOST_ERR_PORT', message, { kind: 'user', cause }));
    });
    server.listen(port, HOST, resolve);
  });
}

/** Both versions are listed: the SDK refuses a version that the card does not name. */
function cardAt(url: string): AgentCard {
  const at = (protocolVersion: string): object => ({ url, protocolBinding: 'JSONRPC', protocolVersion, tenant: '' });
  return AgentCard.fromJSON({
    name: 'khook embedded agent',
    description: 'Remembers and shows what khook asks an agent, for runs without a cluster.',
    version: '1.0.0',
    capabilities: { streaming: true, pushNotifications: false },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'record', name: 'Record', description: 'Records the prompt.', tags: ['khook'] }],
    supportedInterfaces: [at('1.0'), at('0.3')],
  });
}

function executorFor(clock: Clock, record: (prompt: AgentPrompt) => void): AgentExecutor {
  const status = (state: TaskState): TaskStatus => ({
    state,
    message: undefined,
    timestamp: new Date(clock.wall()).toISOString(),
  });
  return {
    async execute({ userMessage, taskId, contextId, context }, bus) {
      const text = textOf(userMessage.parts, Number.POSITIVE_INFINITY);
      record({
        agent: String(context.state.get(AGENT_OF_PATH) ?? 'embedded'),
        prompt: text.slice(0, PROMPT_LIMIT),
        messageId: userMessage.messageId,
        contextId,
        userId: String(context.state.get(USER_ID) ?? ''),
        at: clock.wall(),
      });
      const ids = { taskId, contextId, metadata: undefined };
      const working = status(TaskState.TASK_STATE_WORKING);
      bus.publish(
        AgentEvent.task({ id: taskId, contextId, status: working, artifacts: [], history: [], metadata: undefined }),
      );
      const artifact = {
        artifactId: randomUUID(),
        name: 'receipt',
        description: '',
        parts: [textPart(`khook embedded agent: received ${text.length} characters`)],
        metadata: undefined,
        extensions: [],
      };
      bus.publish(AgentEvent.artifactUpdate({ ...ids, artifact, append: false, lastChunk: true }));
      bus.publish(AgentEvent.statusUpdate({ ...ids, status: status(TaskState.TASK_STATE_COMPLETED) }));
    },
    async cancelTask() {
      // Its tasks are over before anybody can cancel them.
    },
  };
}
