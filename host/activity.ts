/** When what last happened: per plugin and per Hook, for people who look. Bounded by the plugins and Hooks there are. */

import type { Clock } from '../ipc/clock.ts';
import type { Subscribable } from './base/emitter.ts';
import type { BusEvents } from './bus/events.ts';
import type { DispatchEvents } from './dispatch/events.ts';
import type { MatchEvents } from './match/events.ts';

export interface ActivitySources {
  readonly clock: Clock;
  readonly bus: Subscribable<BusEvents>;
  readonly match: Subscribable<MatchEvents>;
  readonly dispatch: Subscribable<DispatchEvents>;
}

export class Activity {
  readonly #events = new Map<string, { accepted: number; lastAt: number }>();
  readonly #fired = new Map<string, number>();
  readonly #problems = new Map<string, string>();

  constructor({ clock, bus, match, dispatch }: ActivitySources) {
    bus.on('frame:done', ({ plugin, events }) => {
      const before = this.#events.get(plugin)?.accepted ?? 0;
      this.#events.set(plugin, { accepted: before + events, lastAt: clock.wall() });
    });
    dispatch.on('firing:accepted', ({ firing }) => this.#fired.set(firing.hook, clock.wall()));
    match.on('hook:template-broken', ({ hook, configuration, problem }) => {
      this.#problems.set(hook, `prompt of eventConfigurations[${configuration}]: ${problem}`);
    });
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

  /** The Hooks were read anew: what was wrong with them is about to be said again. */
  forgetHooks(existing: ReadonlySet<string>): void {
    this.#problems.clear();
    for (const hook of this.#fired.keys()) if (!existing.has(hook)) this.#fired.delete(hook);
  }

  forgetPlugin(plugin: string): void {
    this.#events.delete(plugin);
  }
}
