/** All plugins the host knows: one supervisor per name, brought in line with the plans. */

import type { KubernetesConnection } from '../../ipc/control.ts';
import { Emitter, type Listener } from '../base/emitter.ts';
import { within } from '../base/within.ts';
import type { PluginPlan } from '../config/plugin-plan.ts';
import type { StopLadder } from '../config/stop-ladder.ts';
import type { SupervisionEvents } from './events.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';
import type { RefusedStep, Unstopped } from './unstopped.ts';

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

  /** Hands a renewed connection to every plugin that has one. */
  reconnect(connection: KubernetesConnection): void {
    for (const supervisor of this.all) supervisor.reconnect(connection);
  }

  /**
   * Stops all at once, each with its own grace period and none with more than the ladder allows. Resolves when nothing runs any more,
   * or when the ladder's time is over, with the plugins that did not stop when they were asked to.
   */
  async stop(why: string, ladder?: Pick<StopLadder, 'pluginMs' | 'pluginsMs'>): Promise<readonly Unstopped[]> {
    const { clock } = this.#options;
    const startedAt = clock.now();
    const report: Unstopped[] = [];
    const unsubscribe = this.on('plugin:stopped', ({ plugin, generation, refused }) => {
      if (refused.length > 0) report.push({ plugin, generation, refused });
    });
    const left = new Set(this.all);
    const all = [...left].map(async (each) => {
      await each.stop(why, ladder?.pluginMs);
      left.delete(each);
    });
    const stopped = Promise.all(all);
    await (ladder === undefined ? stopped : within(clock, stopped, ladder.pluginsMs));
    unsubscribe();
    for (const { name: plugin, generation, refused } of left) {
      const terminate: RefusedStep = { step: 'terminate', afterMs: clock.now() - startedAt, error: '' };
      const unstopped = { plugin, generation, refused: [...refused, terminate] };
      this.#events.emit('plugin:unstopped', unstopped);
      report.push(unstopped);
    }
    return report;
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
