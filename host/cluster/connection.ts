/**
 * Where the API server is and how to speak to it, for plugins that were granted `kubernetes`: from the service account of the pod,
 * else from a kubeconfig.
 */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { messageOf } from '../../ipc/errors.ts';
import { Kubeconfig, KubeconfigError } from './kubeconfig.ts';
import { readServiceAccount, SERVICE_ACCOUNT_DIRECTORY } from './service-account.ts';

export type ConnectionSearch =
  | { readonly kind: 'found'; readonly connection: KubernetesConnection; readonly origin: string }
  /** `reason`: one sentence that says where was looked. */
  | { readonly kind: 'none'; readonly reason: string };

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the same places again and again. */
export class ConnectionReader {
  readonly #variables: Variables;
  readonly #serviceAccount: string;
  #kubeconfig: Kubeconfig | null = null;

  /** `variables`: the environment. */
  constructor(variables: Variables, serviceAccountDirectory = SERVICE_ACCOUNT_DIRECTORY) {
    this.#variables = variables;
    this.#serviceAccount = serviceAccountDirectory;
  }

  /** Never rejects. `anew`: a log-in command is asked again, even if what it said last has not expired. */
  async read({ anew = false } = {}): Promise<ConnectionSearch> {
    const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = this.#variables;
    if (host !== '') return this.#inCluster({ host, port });
    const files = kubeconfigFiles(this.#variables);
    const present = files.filter((file) => existsSync(file));
    if (present.length === 0) {
      const looked = files.length === 0 ? 'there is no home directory' : `${files.join(', ')} does not exist`;
      return { kind: 'none', reason: `not in a pod (KUBERNETES_SERVICE_HOST is not set) and no kubeconfig: ${looked}` };
    }
    return this.#fromKubeconfig(present, anew);
  }

  async #inCluster(address: { readonly host: string; readonly port: string }): Promise<ConnectionSearch> {
    try {
      const connection = await readServiceAccount(address, this.#serviceAccount);
      return { kind: 'found', connection, origin: this.#serviceAccount };
    } catch (error) {
      const reason = `in a pod, but its service account cannot be read: ${messageOf(error)}; is automountServiceAccountToken off?`;
      return { kind: 'none', reason };
    }
  }

  async #fromKubeconfig(files: readonly string[], anew: boolean): Promise<ConnectionSearch> {
    const origin = files.join(delimiter);
    if (this.#kubeconfig?.origin !== origin) this.#kubeconfig = new Kubeconfig(files);
    if (anew) this.#kubeconfig.forget();
    try {
      return { kind: 'found', connection: await this.#kubeconfig.read(), origin };
    } catch (error) {
      const known = error instanceof KubeconfigError;
      return {
        kind: 'none',
        reason: known ? error.message : `the kubeconfig ${origin} cannot be used: ${messageOf(error)}`,
      };
    }
  }
}

/** Once. Never rejects. */
export function findConnection(variables: Variables): Promise<ConnectionSearch> {
  return new ConnectionReader(variables).read();
}

function kubeconfigFiles(variables: Variables): string[] {
  const named = variables.KUBECONFIG;
  if (named !== undefined && named !== '') return named.split(delimiter).filter((file) => file !== '');
  const home = variables.HOME ?? homedir();
  return home === '' ? [] : [join(home, '.kube', 'config')];
}
