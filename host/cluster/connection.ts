/**
 * Where the API server is and how to speak to it, for plugins that were granted `kubernetes`: from the service account of the pod,
 * else from a kubeconfig. The client library is loaded only when there is a kubeconfig to read: it is large.
 */

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { messageOf } from '../../ipc/errors.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export type ConnectionSearch =
  | { readonly kind: 'found'; readonly connection: KubernetesConnection; readonly origin: string }
  /** `reason`: one sentence that says where was looked. */
  | { readonly kind: 'none'; readonly reason: string };

/** `variables`: the environment. Never throws. */
export async function findConnection(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<ConnectionSearch> {
  const host = variables.KUBERNETES_SERVICE_HOST;
  const port = variables.KUBERNETES_SERVICE_PORT ?? '443';
  if (host !== undefined && host !== '') return inCluster(host, port);
  const files = kubeconfigFiles(variables);
  const present = files.filter((file) => existsSync(file));
  if (present.length > 0) return fromKubeconfig(present);
  const looked = files.length === 0 ? 'there is no home directory' : `${files.join(', ')} does not exist`;
  return { kind: 'none', reason: `not in a pod (KUBERNETES_SERVICE_HOST is not set) and no kubeconfig: ${looked}` };
}

function inCluster(host: string, port: string): ConnectionSearch {
  const read = (name: string): string => readFileSync(join(SERVICE_ACCOUNT, name), 'utf8').trim();
  try {
    const address = host.includes(':') ? `[${host}]` : host;
    const connection = {
      server: `https://${address}:${port}`,
      ca: read('ca.crt'),
      token: read('token'),
      clientCertificate: null,
      skipTlsVerify: false,
      namespace: read('namespace'),
    };
    return { kind: 'found', connection, origin: SERVICE_ACCOUNT };
  } catch (error) {
    const reason = `in a pod, but its service account cannot be read: ${messageOf(error)}; is automountServiceAccountToken off?`;
    return { kind: 'none', reason };
  }
}

function kubeconfigFiles(variables: Readonly<Record<string, string | undefined>>): string[] {
  const named = variables.KUBECONFIG;
  if (named !== undefined && named !== '') return named.split(delimiter).filter((file) => file !== '');
  const home = variables.HOME ?? homedir();
  return home === '' ? [] : [join(home, '.kube', 'config')];
}

async function fromKubeconfig(files: readonly string[]): Promise<ConnectionSearch> {
  const origin = files.join(delimiter);
  try {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    for (const [position, file] of files.entries()) {
      const next = new KubeConfig();
      next.loadFromFile(file);
      if (position === 0) config.loadFromString(next.exportConfig());
      else config.mergeConfig(next);
    }
    const cluster = config.getCurrentCluster();
    if (cluster === null) {
      return {
        kind: 'none',
        reason: `the kubeconfig ${origin} has no current context; kubectl config use-context NAME sets one`,
      };
    }
    const tls: { cert?: unknown; key?: unknown; ca?: unknown; headers?: Record<string, unknown> } = {};
    // Runs an exec plugin of the kubeconfig (cloud log-ins) when there is one.
    await config.applyToHTTPSOptions(tls as never);
    const authorization = tls.headers?.Authorization;
    const token = typeof authorization === 'string' ? authorization.replace(/^Bearer /, '') : null;
    const [cert, key, ca] = [text(tls.cert), text(tls.key), text(tls.ca)];
    const connection: KubernetesConnection = {
      server: cluster.server.replace(/\/+$/, ''),
      ca,
      token,
      clientCertificate: cert !== null && key !== null ? { cert, key } : null,
      skipTlsVerify: cluster.skipTLSVerify === true,
      namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    };
    return { kind: 'found', connection, origin };
  } catch (error) {
    return { kind: 'none', reason: `the kubeconfig ${origin} cannot be used: ${messageOf(error)}` };
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' || Buffer.isBuffer(value) ? String(value) : null;
}
