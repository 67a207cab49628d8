/** When what last happened: per plugin and per Hook, for people who look. Bounded by the plugins and Hooks there are. */

import type { Clock } from '../../ipc/clock.ts';
import type { Subscribable } from '../base/emitter.ts';
import type { BusEvents } from '../bus/events.ts';
import { type Hook, hookId } from '../config/hook.ts';
import type { DispatchEvents } from '../dispatch/events.ts';
import type { FilterProblem } from '../match/filter-check.ts';
import type { TemplateProblem } from '../match/template-check.ts';

export interface ActivitySources {
  readonly clock: Clock;
  readonly bus: Subscribable<BusEvents>;
  readonly dispatch: Subscribable<DispatchEvents>;
}

export class Activity {
  readonly #events = new Map<string, { accepted: number; lastAt: number }>();
  readonly #fired = new Map<string, number>();
  #problems: ReadonlyMap<string, string> = new Map();

  constructor({ clock, bus, dispatch }: ActivitySources) {
    bus.on('frame:done', ({ plugin, events }) => {
      const before = this.#events.get(plugin)?.accepted ?? 0;
      this.#events.set(plugin, { accepted: before + events, lastAt: clock.wall() });
    });
    dispatch.on('firing:accepted', ({ firing }) => this.#fired.set(firing.hook, clock.wall()));
  }

  accepted(plugin: string): number {
    return this.#events.get(plugin)?.accepted ?? 0;
  }

  lastEventAt(plugin: string): number | null {
    return this.#events.get(plugin)?.lastAt ?? null;
  }

  lastFired(hook: string): number | null {
    return this.#fired.get(hook) ?? null;
  }

  get hookProblems(): ReadonlyMap<string, string> {
    return this.#problems;
  }

  /** The Hooks were read anew. */
  readHooks(
    hooks: readonly Hook[],
    problems: readonly TemplateProblem[],
    filterProblems: readonly FilterProblem[] = [],
  ): void {
    const existing = new Set(hooks.map(hookId));
    for (const hook of this.#fired.keys()) if (!existing.has(hook)) this.#fired.delete(hook);
    const prompts = problems.map(({ hook, configuration, problem }): [string, string] => [
      hook,
      `the prompt of eventConfigurations[${configuration}] is not a template: ${problem}`,
    ]);
    // The graver of the two comes last and counts: such a Hook does not fire at all.
    const filters = filterProblems.map(({ hook, problem }): [string, string] => [
      hook,
      `the filter is not a CEL expression, and the Hook matches nothing: ${problem}`,
    ]);
    this.#problems = new Map([...prompts, ...filters]);
  }

  forgetPlugin(plugin: string): void {
    this.#events.delete(plugin);
  }
}
