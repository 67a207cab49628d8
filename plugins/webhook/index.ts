// Runs in the plugin thread.
/** The webhook: POST a JSON object, get an event. What each status promises stands in README.md. */

import { ConfigError, definePlugin } from 'khook/plugin';
import { readAuthentication, SHORT_CREDENTIAL } from './authentication.ts';
import type { WebhookConfig } from './config.ts';
import { WebhookServer } from './server.ts';

let server: WebhookServer | null = null;

export default definePlugin<WebhookConfig>({
  initialize(config, ctx) {
    // biome-ignore lint/style/noProcessEnv: a plugin's environment holds the granted names and nothing else
    const authentication = readAuthentication(config.auth, process.env);
    if (authentication.kind === 'missing') throw new ConfigError(authentication.problem);
    if (authentication.kind !== 'none') {
      const credential = authentication.kind === 'bearer' ? authentication.token : authentication.secret;
      if (credential.length < SHORT_CREDENTIAL) {
        ctx.log.warn(`Webhook credential is shorter than ${SHORT_CREDENTIAL} characters and may be guessed`);
      }
    }
    server = new WebhookServer({ ctx, config, authentication });
  },
  async start() {
    await server?.start();
  },
  async stop() {
    await server?.stop();
  },
  healthCheck() {
    return server?.isListening ?? false;
  },
});
