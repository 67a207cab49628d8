/** The connection of a pod: the API server from the environment, the credentials from the files that the kubelet mounts and renews. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesConnection } from '../../ipc/control.ts';

export const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Rejects when one of the files cannot be read. */
export async function readServiceAccount(
  address: { readonly host: string; readonly port: string },
  directory: string,
): Promise<KubernetesConnection> {
  const read = async (name: string): Promise<string> => (await readFile(join(directory, name), 'utf8')).trim();
  const [ca, token, namespace] = await Promise.all([read('ca.crt'), read('token'), read('namespace')]);
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    server: `https://${host}:${address.port}`,
    ca,
    token,
    clientCertificate: null,
    skipTlsVerify: false,
    namespace,
  };
}
