/** What the rooms said and do not keep themselves: since when a plugin is as it is, what its health check says, who waits, who leads, who has no calls left. */

import type { Clock } from '../../ipc/clock.ts';
import type { Subscribable } from '../base/emitter.ts';
import type { BusEvents } from '../bus/events.ts';
import type { ClusterEvents } from '../cluster/events.ts';
import type { DispatchEvents } from '../dispatch/events.ts';
import type { SupervisionEvents } from '../supervision/events.ts';

export interface NewsSources {
  readonly clock: Clock;
  readonly supervision: Subscribable<SupervisionEvents>;
  readonly bus: Subscribable<BusEvents>;
  readonly dispatch: Subscribable<DispatchEvents>;
  readonly cluster: Subscribable<ClusterEvents>;
}

/** A wait that somebody notices. */
const LONG_MS = 5_000;

export interface HeldHook {
  readonly hook: string;
  readonly callsPerHour: number;
  /** Wall milliseconds: when what waits goes out. */
  readonly until: number;
}

/** A plugin whose events wait for its rate limit. */
export interface HeldPlugin {
  readonly plugin: string;
  /** Wall milliseconds: when the next of them may go on. */
  readonly until: number;
}

/** A plugin whose events its own thread refused to send. */
export interface RefusedEvents {
  readonly plugin: string;
  readonly events: number;
  /** Of the last. */
  readonly code: string;
  readonly message: string;
}

export class News {
  readonly #clock: Clock;
  /** Wall milliseconds, by plugin. */
  readonly #since = new Map<string, number>();
  readonly #unhealthy = new Map<string, string>();
  readonly #held = new Map<string, HeldHook>();
  readonly #throttled = new Map<string, HeldPlugin>();
  /** Of its present life. */
  readonly #refused = new Map<string, RefusedEvents>();
  #holder = '';
  #leaseFault: string | null = null;

  constructor({ clock, supervision, bus, dispatch, cluster }: NewsSources) {
    this.#clock = clock;
    supervision.on('plugin:state', ({ plugin, to }) => {
      this.#since.set(plugin, clock.wall());
      if (to.kind !== 'running') this.#unhealthy.delete(plugin);
      if (to.kind === 'starting') this.#refused.delete(plugin);
    });
    supervision.on('plugin:unhealthy', ({ plugin, detail }) => this.#unhealthy.set(plugin, detail));
    supervision.on('plugin:recovered', ({ plugin }) => this.#unhealthy.delete(plugin));
    supervision.on('plugin:removed', ({ plugin }) => {
      this.#since.delete(plugin);
      this.#unhealthy.delete(plugin);
      this.#throttled.delete(plugin);
      this.#refused.delete(plugin);
    });
    supervision.on('plugin:event-refused', ({ plugin, code, message }) => {
      const events = (this.#refused.get(plugin)?.events ?? 0) + 1;
      this.#refused.set(plugin, { plugin, events, code, message });
    });
    bus.on('frame:throttled', ({ plugin, waitMs }) => {
      if (waitMs >= LONG_MS) this.#throttled.set(plugin, { plugin, until: clock.wall() + waitMs });
    });
    dispatch.on('firing:held', ({ delivery, callsPerHour, forMs }) => {
      const { hook } = delivery.firing;
      this.#held.set(hook, { hook, callsPerHour, until: clock.wall() + forMs });
    });
    cluster.on('lease:holder', ({ holder }) => {
      this.#holder = holder;
    });
    cluster.on('leadership:acquired', ({ identity }) => {
      this.#holder = identity;
      this.#leaseFault = null;
    });
    cluster.on('lease:fault', ({ message }) => {
      this.#leaseFault = message;
    });
    cluster.on('lease:recovered', () => {
      this.#leaseFault = null;
    });
  }

  /** Wall milliseconds. */
  since(plugin: string): number {
    return this.#since.get(plugin) ?? this.#clock.wall();
  }

  /** null: it is well, or has not been asked. */
  unhealthy(plugin: string): string | null {
    return this.#unhealthy.get(plugin) ?? null;
  }

  get held(): readonly HeldHook[] {
    const now = this.#clock.wall();
    for (const [hook, { until }] of this.#held) if (until <= now) this.#held.delete(hook);
    return [...this.#held.values()];
  }

  get refused(): readonly RefusedEvents[] {
    return [...this.#refused.values()];
  }

  get throttled(): readonly HeldPlugin[] {
    const now = this.#clock.wall();
    return [...this.#throttled.values()].filter(({ until }) => until > now);
  }

  get lease(): { readonly holder: string; readonly fault: string | null } {
    return { holder: this.#holder, fault: this.#leaseFault };
  }
}
