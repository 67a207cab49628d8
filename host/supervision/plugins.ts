/** All plugins the host knows: one supervisor per name, brought in line with the plans. */

import { Emitter, type Listener } from '../base/emitter.ts';
import type { PluginPlan } from '../config/plugin-plan.ts';
import type { SupervisionEvents } from './events.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

export type PluginsOptions = Omit<SupervisorOptions, 'name' | 'events' | 'lastGeneration'>;

export class Plugins {
  readonly #options: PluginsOptions;
  readonly #events = new Emitter<SupervisionEvents>();
  readonly #supervisors = new Map<string, Supervisor>();
  /** Of plugins that are gone: one that comes back goes on counting, or two events would have the same id. */
  readonly #lastGenerations = new Map<string, number>();
  /** Names in the plans that were given last. */
  #wanted: ReadonlySet<string> = new Set();

  constructor(options: PluginsOptions) {
    this.#options = options;
  }

  on<Name extends keyof SupervisionEvents>(name: Name, listener: Listener<SupervisionEvents[Name]>): () => void {
    return this.#events.on(name, listener);
  }

  get all(): readonly Supervisor[] {
    return [...this.#supervisors.values()];
  }

  find(name: string): Supervisor | null {
    return this.#supervisors.get(name) ?? null;
  }

  /** Starts, replaces and stops so that exactly these plans are in force. Resolves when nothing old runs; starts may still be under way. */
  async apply(plans: readonly PluginPlan[]): Promise<void> {
    const wanted = new Set(plans.map((plan) => plan.name));
    this.#wanted = wanted;
    const gone = this.all.filter((supervisor) => !wanted.has(supervisor.name));
    await Promise.all([
      ...gone.map((supervisor) => this.#remove(supervisor)),
      ...plans.map((plan) => this.#supervisor(plan.name).apply(plan)),
    ]);
  }

  /** Stops all at once; each has its own grace period, or what is left of the host's. */
  async stop(why: string, withinMs?: number): Promise<void> {
    await Promise.all(this.all.map((supervisor) => supervisor.stop(why, withinMs)));
  }

  async #remove(supervisor: Supervisor): Promise<void> {
    const { name } = supervisor;
    await supervisor.stop('its bundle was removed');
    // Its supervisor stands until nothing of it runs, so that a bundle which comes back meanwhile waits its turn.
    if (this.#wanted.has(name) || this.#supervisors.get(name) !== supervisor) return;
    this.#supervisors.delete(name);
    this.#lastGenerations.set(name, supervisor.generation);
    this.#events.emit('plugin:removed', { plugin: name });
  }

  #supervisor(name: string): Supervisor {
    let supervisor = this.#supervisors.get(name);
    if (supervisor === undefined) {
      const lastGeneration = this.#lastGenerations.get(name) ?? 0;
      supervisor = new Supervisor({ ...this.#options, name, lastGeneration, events: this.#events });
      this.#supervisors.set(name, supervisor);
    }
    return supervisor;
  }
}
