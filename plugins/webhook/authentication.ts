// Runs in the plugin thread.
/** Who may send: a bearer token, or an HMAC-SHA256 of the raw body. Comparisons take the same time wherever they differ. */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { WebhookConfig } from './config.ts';

export type Authentication =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'signature'; readonly secret: string };

/** What was asked for, but its variable is empty. `problem` says what to do. */
export interface MissingCredential {
  readonly kind: 'missing';
  readonly problem: string;
}

const CREDENTIALS = {
  bearer: { variable: 'WEBHOOK_TOKEN', what: 'the token that senders give in "Authorization: Bearer …"' },
  signature: { variable: 'WEBHOOK_SECRET', what: 'the secret that senders sign the body with' },
} as const;

/** A credential shorter than this can be guessed. */
export const SHORT_CREDENTIAL = 32;

export function readAuthentication(
  auth: WebhookConfig['auth'],
  environment: Readonly<Record<string, string | undefined>>,
): Authentication | MissingCredential {
  if (auth === 'none') return { kind: 'none' };
  const { variable, what } = CREDENTIALS[auth];
  const value = environment[variable] ?? '';
  if (value === '') {
    return {
      kind: 'missing',
      problem:
        `configuration 'auth' is '${auth}', but the environment variable ${variable} (${what}) is empty or not granted: ` +
        `set it in khook's environment and grant it with "permissions: { env: [${variable}] }" in plugins.yaml`,
    };
  }
  return auth === 'bearer' ? { kind: 'bearer', token: value } : { kind: 'signature', secret: value };
}

/** The value of WWW-Authenticate beside a 401. */
export function challengeOf(authentication: Authentication): string {
  return `${authentication.kind === 'signature' ? 'HMAC-SHA256' : 'Bearer'} realm="khook"`;
}

export function hasToken(headers: IncomingHttpHeaders, token: string): boolean {
  const given = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  // Digests have one length, whatever was sent: timingSafeEqual then tells nothing about the token's own.
  return timingSafeEqual(digest(given), digest(token));
}

/** X-Signature, or X-Hub-Signature-256 as GitHub names it: 64 hex digits, with or without "sha256=". */
export function hasSignature(headers: IncomingHttpHeaders, secret: string, body: Uint8Array): boolean {
  const given = headers['x-signature'] ?? headers['x-hub-signature-256'];
  const hex = typeof given === 'string' ? /^(?:sha256=)?([0-9a-f]{64})$/i.exec(given.trim())?.[1] : undefined;
  if (hex === undefined) return false;
  return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', secret).update(body).digest());
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
