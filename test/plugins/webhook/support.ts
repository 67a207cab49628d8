/** Starts the webhook bundle in process, on a free port, and speaks HTTP to it. */

import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Plugin } from '../../../ipc/plugin-api.ts';
import type { WebhookConfig } from '../../../plugins/webhook/config.ts';
import { importPlugin } from '../../support/khook-plugin.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';

export const DEFAULTS: WebhookConfig = {
  port: 0,
  host: '127.0.0.1',
  path: '/webhook',
  maxBodyBytes: 61_440,
  auth: 'none',
  debug: false,
};

export interface RunningWebhook {
  readonly plugin: Plugin<WebhookConfig>;
  readonly ctx: TestPluginContext;
  readonly port: number;
  readonly url: string;
  post(body: string, headers?: Record<string, string>): Promise<Response>;
}

export function portOf(ctx: TestPluginContext): number {
  const address = ctx.logged('Webhook server started')[0]?.fields.address;
  return Number(String(address).split(':').at(-1));
}

export async function startWebhook(
  t: Pick<TestContext, 'after'>,
  config: Partial<WebhookConfig> = {},
): Promise<RunningWebhook> {
  const plugin = await importPlugin<WebhookConfig>('webhook');
  const ctx = new TestPluginContext('webhook');
  await plugin.initialize?.({ ...DEFAULTS, ...config }, ctx);
  await plugin.start(ctx);
  t.after(async () => {
    ctx.drain();
    ctx.releaseAcks();
    await plugin.stop?.();
  });
  const port = portOf(ctx);
  const url = `http://127.0.0.1:${port}/webhook`;
  return { plugin, ctx, port, url, post: (body, headers = {}) => fetch(url, { method: 'POST', body, headers }) };
}

/** A connection that the test writes to by hand. */
export async function rawConnection(t: Pick<TestContext, 'after'>, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Everything the server says until the connection is gone, however it ends. */
export async function untilClosed(socket: Socket): Promise<string> {
  let said = '';
  socket.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return said;
}
