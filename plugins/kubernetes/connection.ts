// Runs in the plugin thread.
/** One GET to the API server, with whatever identity the connection gives. */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { KubernetesConnection } from 'khook/plugin';
import { apiErrorFrom } from './api-error.ts';
import { readText } from './stream.ts';

export interface ApiRequest {
  readonly connection: KubernetesConnection;
  readonly verb: 'list' | 'watch';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** How long the head of the answer, and each further part of a refusal, may take. */
  readonly answerMs: number;
}

const MAX_REFUSAL_BYTES = 64 * 1024;
/** The kernel then notices a peer that is gone within half a minute. */
const KEEP_ALIVE_MS = 15_000;

/** The answer, its body unread. Rejects with an ApiError when it is not a 2xx. */
export async function openStream(options: ApiRequest): Promise<IncomingMessage> {
  const response = await send(options);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  const text = await readText(response, { silenceMs: options.answerMs, maxBytes: MAX_REFUSAL_BYTES });
  throw apiErrorFrom(parseOrText(text), { status, verb: options.verb, retryAfter: response.headers['retry-after'] });
}

function send({ connection, path, query, signal, answerMs }: ApiRequest): Promise<IncomingMessage> {
  // A server behind a proxy has a path of its own: https://rancher/k8s/clusters/c-1
  const base = new URL(connection.server);
  const url = new URL(`${base.pathname.replace(/\/+$/, '')}${path}?${new URLSearchParams(query)}`, base);
  const isPlain = url.protocol === 'http:';
  const request = (isPlain ? httpRequest : httpsRequest)(url, {
    // A connection per request: a pooled one may be half dead, and would keep an old certificate alive.
    agent: false,
    signal,
    headers: {
      Accept: 'application/json',
      'User-Agent': 'khook-kubernetes-plugin',
      ...(connection.token === null ? {} : { Authorization: `Bearer ${connection.token}` }),
    },
    ...(isPlain ? {} : tlsOptions(connection)),
  });
  request.setSocketKeepAlive(true, KEEP_ALIVE_MS);
  const late = setTimeout(() => request.destroy(new Error(`no answer within ${answerMs / 1_000} s`)), answerMs);
  return new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // Stays attached: an error after the answer surfaces on the body, and must not end the thread here.
    request.on('error', (cause) => {
      reject(new Error(`cannot reach the API server at ${connection.server}: ${cause.message}`, { cause }));
    });
    request.end();
  }).finally(() => clearTimeout(late));
}

function tlsOptions(connection: KubernetesConnection): Record<string, unknown> {
  const { ca, clientCertificate, skipTlsVerify } = connection;
  return {
    ...(ca === null ? {} : { ca }),
    ...(clientCertificate === null ? {} : { cert: clientCertificate.cert, key: clientCertificate.key }),
    rejectUnauthorized: !skipTlsVerify,
  };
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
