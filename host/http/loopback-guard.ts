/**
 * Who may use the port that changes things: a process on this machine (or `kubectl port-forward`), not a web page. A page can make a
 * browser connect to the loopback address, also under a name of its own (DNS rebinding); Host and Origin give it away.
 */

import type { IncomingMessage } from 'node:http';
import { type Reply, refusal } from './reply.ts';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

export function loopbackGuard(request: IncomingMessage): Reply | null {
  const { host, origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    return refusal(403, 'the admin port answers connections from this machine only; use kubectl port-forward');
  }
  if (host === undefined || !LOOPBACK_NAMES.has(hostName(host))) {
    return refusal(403, 'the Host header must be localhost, 127.0.0.1 or [::1]');
  }
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return refusal(403, 'the admin port does not answer web pages of another origin');
  }
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return refusal(403, 'the admin port does not answer web pages of another site');
  }
  return null;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}

/** `localhost:6060` → `localhost`. Any port: a forwarded one is not ours. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, '');
}
