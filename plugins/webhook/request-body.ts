// Runs in the plugin thread.
/** Reads a request's body up to a limit. What lies beyond is never kept. */

import type { IncomingMessage } from 'node:http';

export type Body = { readonly kind: 'read'; readonly bytes: Buffer } | { readonly kind: 'too-large' };

/** True when the headers alone say that the body is too large. */
export function announcesTooLarge(request: IncomingMessage, maxBytes: number): boolean {
  return Number(request.headers['content-length'] ?? 0) > maxBytes;
}

/** Rejects when the client goes away, or is cut off for being too slow. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  if (announcesTooLarge(request, maxBytes)) return { kind: 'too-large' };
  const chunks: Buffer[] = [];
  let length = 0;
  // destroyOnReturn: what lies beyond the limit must stay readable, for `discard`.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > maxBytes) return { kind: 'too-large' };
    chunks.push(chunk as Buffer);
  }
  return { kind: 'read', bytes: Buffer.concat(chunks, length) };
}

const LINGER_BYTES = 1024 * 1024;
const LINGER_MS = 500;

/** True while the client still sends a body that nobody will read. */
export function hasUnreadBody(request: IncomingMessage): boolean {
  if (request.complete) return false;
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/**
 * Throws away what still comes, for a moment: a socket closed over unread bytes answers with a reset, and the client would see
 * that instead of the answer.
 */
export function discard(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let left = LINGER_BYTES;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', count).off('end', done).off('close', done).pause();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left <= 0) done();
    };
    const timer = setTimeout(done, LINGER_MS);
    request.on('data', count).on('end', done).on('close', done).resume();
  });
}
