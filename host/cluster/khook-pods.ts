/** The pods of khook in a namespace, and what they answer by way of the API server: for whoever looks from outside of the cluster. */

import type { Clock } from '../../ipc/clock.ts';
import { ApiClient, type ConnectionSource } from './api-client.ts';
import type { ApiTarget } from './api-target.ts';

const SELECTOR = 'app.kubernetes.io/name=khook';
const ANSWER_MS = 15_000;

export class KhookPods implements Disposable {
  readonly #client: ApiClient;
  readonly #target: ApiTarget;

  constructor(options: { readonly source: ConnectionSource; readonly clock: Clock; readonly namespace: string }) {
    const { namespace, ...connection } = options;
    this.#client = new ApiClient({ ...connection, answerMs: ANSWER_MS });
    this.#target = { group: '', version: 'v1', resource: 'pods', namespace };
  }

  /** Rejects with an ApiError. */
  async list<T>(): Promise<readonly T[]> {
    const query = { labelSelector: SELECTOR };
    const { items = [] } = await this.#client.json<{ items?: readonly T[] }>({
      verb: 'list',
      target: this.#target,
      query,
    });
    return items;
  }

  /** What a port of a pod answers to `path`. Rejects with an ApiError. */
  async ask<T>({
    pod,
    port,
    path,
  }: {
    readonly pod: string;
    readonly port: number;
    readonly path: string;
  }): Promise<T> {
    const target = { ...this.#target, name: `${pod}:${port}`, subresource: 'proxy', below: path };
    return this.#client.json<T>({ verb: 'get', target });
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}
