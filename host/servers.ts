/** The three doors of the host: health, metrics with the read API, and the loopback port. */

import type { Clock } from '../ipc/clock.ts';
import { ADMIN_HOST, adminServer } from './http/admin-server.ts';
import { healthServer } from './http/health-server.ts';
import { metricsServer } from './http/metrics-server.ts';
import type { HostOperations, HostView } from './http/view.ts';

export interface ServersOptions {
  readonly view: HostView;
  readonly operations: HostOperations;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export interface ServersAddress {
  readonly ports: { readonly metrics: number; readonly health: number; readonly admin: number };
  /** Of the metrics and health ports; the admin port is on loopback, always. */
  readonly listenAddress: string;
}

export class Servers {
  readonly #health;
  readonly #metrics;
  readonly #admin;

  constructor({ view, operations, ...surroundings }: ServersOptions) {
    this.#health = healthServer(view, surroundings);
    this.#metrics = metricsServer(view, surroundings);
    this.#admin = adminServer({ view, operations, ...surroundings });
  }

  /** The ports that were bound. Rejects with HOST_ERR_PORT when one is taken. */
  async start({ ports, listenAddress }: ServersAddress): Promise<ServersAddress['ports']> {
    return {
      health: await this.#health.start({ port: ports.health, host: listenAddress }),
      metrics: await this.#metrics.start({ port: ports.metrics, host: listenAddress }),
      admin: await this.#admin.start({ port: ports.admin, host: ADMIN_HOST }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using closing = new AsyncDisposableStack();
    for (const server of [this.#health, this.#metrics, this.#admin]) closing.use(server);
  }
}
