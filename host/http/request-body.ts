/** Reads a small JSON body, and refuses a large one before it is in memory. */

import type { IncomingMessage } from 'node:http';
import { type Reply, refusal } from './reply.ts';

export const MAX_BODY_BYTES = 64 * 1024;

export type BodyResult =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly reply: Reply };

const TOO_LARGE: BodyResult = {
  kind: 'refused',
  reply: refusal(413, `the body is larger than ${MAX_BODY_BYTES / 1024} KiB, which is the most this server reads`),
};

export async function readJson(request: IncomingMessage): Promise<BodyResult> {
  const type = request.headers['content-type'] ?? '';
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return TOO_LARGE;
  // A page of another origin can send text/plain without asking; application/json it cannot.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    const got = type === '' ? 'no Content-Type' : `Content-Type ${type.slice(0, 100)}`;
    return {
      kind: 'refused',
      reply: refusal(415, `the body must be JSON with Content-Type: application/json, got ${got}`),
    };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  // Destroying the request would take the connection, and with it the refusal, away.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return TOO_LARGE;
    chunks.push(chunk);
  }
  try {
    return { kind: 'json', value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 200) : '';
    return { kind: 'refused', reply: refusal(400, `the body is not JSON: ${detail}`) };
  }
}
