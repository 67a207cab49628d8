// Runs in the plugin thread.
/** A request as an event. Pure. */

import type { IncomingHttpHeaders } from 'node:http';
import type { PluginEvent } from 'khook/plugin';

/** Names of headers that may carry a credential: they never enter an event, because events reach logs, prompts and agents. */
const CREDENTIAL = /auth|cookie|token|secret|signature|password|credential|api[-_]?key|session|jwt|oidc|cert/;

export function withoutCredentials(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || CREDENTIAL.test(name)) continue;
    kept.push([name, Array.isArray(value) ? value.join(', ') : value]);
  }
  // fromEntries defines own properties, so that a header called __proto__ is only a header.
  return Object.fromEntries(kept);
}

export type Payload =
  | { readonly kind: 'object'; readonly value: Record<string, unknown> }
  | { readonly kind: 'invalid'; readonly problem: string };

const EXPECTED = 'expected a JSON object such as {"resource":"api","message":"deployment failed"}';

export function parsePayload(body: Buffer): Payload {
  if (body.length === 0) return { kind: 'invalid', problem: `${EXPECTED}, got an empty body` };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    return { kind: 'invalid', problem: `${EXPECTED}, got text that does not parse: ${(error as Error).message}` };
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { kind: 'object', value: value as Record<string, unknown> };
  }
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return { kind: 'invalid', problem: `${EXPECTED}, got ${got}` };
}

export function eventFrom(payload: Record<string, unknown>, headers: IncomingHttpHeaders): PluginEvent {
  const namespace = textOf(payload, 'namespace');
  return {
    type: 'webhook-received',
    resourceName: textOf(payload, 'resource') ?? 'unknown',
    message: textOf(payload, 'message') ?? 'Webhook received',
    ...(namespace === undefined ? {} : { namespace }),
    reason: textOf(payload, 'reason') ?? 'WebhookReceived',
    metadata: { headers: withoutCredentials(headers), payload },
    tags: { source: 'webhook', method: 'POST' },
  };
}

/** Own properties only: a payload's __proto__ key stays data. */
function textOf(payload: Record<string, unknown>, key: string): string | undefined {
  const value = Object.hasOwn(payload, key) ? payload[key] : undefined;
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
