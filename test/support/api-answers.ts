/** What a request to the test's API server is about, and its refusals in the words of a real one. */

import type { ServerResponse } from 'node:http';

/** `namespace`: empty for all, or for an object that has none. */
export interface Collection {
  readonly resource: string;
  readonly namespace: string;
}

/** `/…/namespaces/shop/pods`, `/…/pods`. */
export function collectionOf(path: string): Collection {
  const parts = path.split('/');
  const at = parts.lastIndexOf('namespaces');
  return { resource: parts.at(-1) ?? '', namespace: at < 0 ? '' : (parts[at + 1] ?? '') };
}

export function isIn(one: Collection, other: Collection): boolean {
  return one.resource === other.resource && (other.namespace === '' || one.namespace === other.namespace);
}

/** In the words of a real one. */
export function forbiddenText(verb: string, { resource, namespace }: Collection): string {
  const group = resource === 'events' ? 'events.k8s.io' : '';
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const name = group === '' ? resource : `${resource}.${group}`;
  const who = 'User "system:serviceaccount:kagent:khook"';
  return `${name} is forbidden: ${who} cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
}

export function statusOf(
  code: number,
  message: string,
  metadata: Record<string, string> = {},
): Record<string, unknown> {
  return { kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure', message, reason: 'Expired', code };
}

export function sendStatus(
  response: ServerResponse,
  code: number,
  message: string,
  metadata: Record<string, string> = {},
): void {
  response.writeHead(code, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(statusOf(code, message, metadata)));
}
