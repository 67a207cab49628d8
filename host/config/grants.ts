/**
 * What a bundle asks for against what plugins.yaml grants, and the YAML that would grant the rest. Pure.
 * A plugin never gets more than it asked for: a wider grant only covers the request.
 */

import { isIP } from 'node:net';
import { sep } from 'node:path';
import { stringify } from 'yaml';
import type { Permissions } from './permissions.ts';

/** What is asked for and not granted; null when everything is. */
export function missingGrants(requested: Permissions, granted: Permissions): Permissions | null {
  const missing: Permissions = {
    net: {
      any: requested.net.any && !granted.net.any,
      listen: requested.net.listen.filter((port) => !granted.net.listen.includes(port)),
      connect: requested.net.connect.filter((target) => !coversTarget(granted, target)),
    },
    read: requested.read.filter((folder) => !granted.read.some((parent) => coversFolder(parent, folder))),
    write: requested.write.filter((folder) => !granted.write.some((parent) => coversFolder(parent, folder))),
    env: requested.env.filter((name) => !granted.env.includes(name)),
    kubernetes: requested.kubernetes && !granted.kubernetes,
  };
  return asksForNothing(missing) ? null : missing;
}

export function asksForNothing(permissions: Permissions): boolean {
  const { net, read, write, env, kubernetes } = permissions;
  return !net.any && !kubernetes && [net.listen, net.connect, read, write, env].every((list) => list.length === 0);
}

/** A grant of a folder covers everything below it, by whole path segments. */
export function coversFolder(parent: string, child: string): boolean {
  const prefix = parent.endsWith(sep) ? parent : `${parent}${sep}`;
  return parent === child || child.startsWith(prefix);
}

/**
 * `net: true` covers a target only when it is an address that is certainly not on this machine: a name may resolve to loopback
 * or to the metadata address, and a name that was granted may reach those. So names are granted by name.
 */
function coversTarget(granted: Permissions, target: string): boolean {
  if (granted.net.connect.includes(target)) return true;
  if (!granted.net.any) return false;
  const host = target.slice(0, target.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return isIP(host) === 4 && !/^(?:0|127|169\.254)\./.test(host);
}

/** `may not listen on port 8090, read /data`: for one sentence about what a plugin lacks. */
export function describePermissions(permissions: Permissions): string {
  const { net, read, write, env, kubernetes } = permissions;
  const parts = [
    ...(net.any ? ['connect anywhere'] : []),
    ...named(net.listen.length === 1 ? 'listen on port' : 'listen on ports', net.listen),
    ...named('connect to', net.connect),
    ...named('read', read),
    ...named('write', write),
    ...named('see the environment variable', env),
    ...(kubernetes ? ['use the Kubernetes connection'] : []),
  ];
  return parts.join('; ');
}

function named(what: string, list: readonly (string | number)[]): string[] {
  return list.length === 0 ? [] : [`${what} ${list.join(', ')}`];
}

/** The lines of plugins.yaml that grant exactly `permissions` to the plugin, ready to paste. */
export function grantYaml(name: string, permissions: Permissions): string {
  return stringify({ plugins: [{ name, permissions: writtenForm(permissions) }] }, { lineWidth: 0 });
}

function writtenForm(permissions: Permissions): Record<string, unknown> {
  const { net, read, write, env, kubernetes } = permissions;
  const lists = {
    ...(net.listen.length > 0 && { listen: net.listen }),
    ...(net.connect.length > 0 && { connect: net.connect }),
  };
  const hasLists = Object.keys(lists).length > 0;
  return {
    ...(net.any && !hasLists && { net: true }),
    ...(hasLists && { net: { ...(net.any && { any: true }), ...lists } }),
    ...(read.length > 0 && { read: read.map(literal) }),
    ...(write.length > 0 && { write: write.map(literal) }),
    ...(env.length > 0 && { env }),
    ...(kubernetes && { kubernetes: true }),
  };
}

/** A folder may be called `${x}`; in plugins.yaml that would be a placeholder. */
function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** The remedy for a plugin that wants the cluster on a machine that has no way to it. */
export const CONNECTION_REMEDY = [
  'Give khook a way to the cluster, one of:',
  '  in the cluster: run the pod under a service account with its token mounted (automountServiceAccountToken must not be false)',
  '  elsewhere: export KUBECONFIG=/path/to/kubeconfig, or put one at ~/.kube/config',
  'or set `enabled: false` for the plugin in plugins.yaml.',
].join('\n');
