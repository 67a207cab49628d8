// Runs in the plugin thread.
/** The identity towards the API server: read for every request, and renewed by the host when the server refuses it. */

import type { KubernetesConnection, PluginContext } from 'khook/plugin';

export class Credentials {
  readonly #ctx: Pick<PluginContext, 'kubernetes' | 'renewKubernetes'>;

  constructor(ctx: Pick<PluginContext, 'kubernetes' | 'renewKubernetes'>) {
    this.#ctx = ctx;
  }

  get connection(): KubernetesConnection {
    const { kubernetes } = this.#ctx;
    if (kubernetes === null) throw new Error('khook has no connection to a Kubernetes API server');
    return kubernetes;
  }

  /** After `refused` was refused. True when there are others by now: trying again makes sense at once. */
  async renew(refused: KubernetesConnection): Promise<boolean> {
    if (!this.#areOther(refused)) await this.#ctx.renewKubernetes();
    return this.#areOther(refused);
  }

  #areOther(refused: KubernetesConnection): boolean {
    const now = this.#ctx.kubernetes;
    return (
      now !== null && (now.token !== refused.token || now.clientCertificate?.cert !== refused.clientCertificate?.cert)
    );
  }
}
