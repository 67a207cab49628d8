/** What a generation is born with, out of its spec. Pure. */

import { pathToFileURL } from 'node:url';
import type { Birth, KubernetesConnection, NetworkPolicy } from '../../ipc/control.ts';
import type { PluginSpec } from '../config/plugin-plan.ts';

export interface BirthOptions {
  readonly spec: PluginSpec;
  readonly generation: number;
  readonly idPrefix: string;
  readonly debug: boolean;
  readonly connection: KubernetesConnection | null;
  readonly hostDirectory: string;
}

export function makeBirth({ spec, connection, ...birth }: BirthOptions): Birth {
  const { sockets, files, logLinesPerSecond } = spec.limits;
  const granted = spec.permissions.kubernetes ? connection : null;
  return {
    ...birth,
    plugin: spec.name,
    version: spec.version,
    entry: pathToFileURL(spec.entry).href,
    config: spec.config,
    connection: granted,
    network: networkPolicy(spec, granted),
    budget: { sockets, files, logLinesPerSecond },
  };
}

/** The `kubernetes` permission is the permission to connect to that one server. */
function networkPolicy(
  { permissions: { net } }: Pick<PluginSpec, 'permissions'>,
  connection: KubernetesConnection | null,
): NetworkPolicy {
  const server = connection === null ? [] : [serverAddress(connection.server)];
  return { any: net.any, listen: net.listen, connect: [...net.connect, ...server] };
}

function serverAddress(server: string): string {
  const { hostname, port, protocol } = new URL(server);
  return `${hostname}:${port === '' ? (protocol === 'http:' ? 80 : 443) : port}`;
}
