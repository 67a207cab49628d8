/** A service account as a pod has it: no rights but those that are bound to it, and tokens that expire. */

import { randomUUID } from 'node:crypto';
import { ApiClient, type ApiObject, ApiStatusError, type Credentials } from './api-client.ts';
import { ISSUER } from './api-server-flags.ts';
import type { ControlPlane } from './control-plane.ts';

export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

const LENIENCY_S = 60;

export class ServiceAccount {
  readonly #plane: ControlPlane;
  readonly #path: string;
  readonly #object: ApiObject;
  readonly namespace: string;
  readonly name: string;
  /** As RBAC and `kubectl --as` name it. */
  readonly user: string;

  private constructor(plane: ControlPlane, { path, object }: { path: string; object: ApiObject }) {
    this.#plane = plane;
    this.#path = path;
    this.#object = object;
    this.name = object.metadata.name;
    this.namespace = object.metadata.namespace ?? '';
    this.user = `system:serviceaccount:${this.namespace}:${this.name}`;
  }

  /** Created unless it is there, as when a chart made it. */
  static async of(plane: ControlPlane, { namespace, name }: AccountName): Promise<ServiceAccount> {
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const path = `${accounts}/${name}`;
    const object = await plane.admin.get(path).catch((error: unknown) => {
      if (!(error instanceof ApiStatusError) || error.code !== 404) throw error;
      return plane.admin.create(accounts, { metadata: { name } });
    });
    return new ServiceAccount(plane, { path, object });
  }

  /** As the kubelet asks for it: for an hour. */
  async token(): Promise<string> {
    const body = { spec: { expirationSeconds: 3_600 } };
    const { status } = await this.#plane.admin.create<{ status: { token: string } }>(`${this.#path}/token`, body);
    return status.token;
  }

  /**
   * Refused `seconds` from now, a minute after the expiry that it names: the API server is lenient by that. It also remembers
   * for 10 s that a token was good.
   */
  shortToken(seconds: number): string {
    const now = Math.floor(Date.now() / 1_000);
    const { uid } = this.#object.metadata;
    return this.#plane.signer.sign({
      iss: ISSUER,
      aud: [ISSUER],
      sub: this.user,
      jti: randomUUID(),
      iat: now - 3_600,
      nbf: now - 3_600,
      exp: now + seconds - LENIENCY_S,
      'kubernetes.io': { namespace: this.namespace, serviceaccount: { name: this.name, uid } },
    });
  }

  async client(token?: string): Promise<ApiClient> {
    const { server, ca } = this.#plane;
    return new ApiClient({ server, ca, credentials: await this.#credentials(token) });
  }

  /** Path of a kubeconfig file with a token of its own. `server`: a proxy's, default the API server. */
  async kubeconfig(options: { readonly server?: string; readonly token?: string } = {}): Promise<string> {
    const { token, ...rest } = options;
    const name = `${this.namespace}-${this.name}-${randomUUID().slice(0, 8)}.kubeconfig`;
    const credentials = await this.#credentials(token);
    return this.#plane.writeKubeconfig(name, { credentials, namespace: this.namespace, ...rest });
  }

  async #credentials(token?: string): Promise<Credentials> {
    return { kind: 'token', token: token ?? (await this.token()) };
  }
}
