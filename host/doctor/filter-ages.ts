/** Since when each Hook has the filter that it has: what an earlier one did is no news. Bounded by the Hooks. */

import type { Subscribable } from '../base/emitter.ts';
import { hookId } from '../config/hook.ts';
import type { MatchEvents } from '../match/events.ts';
import type { Rules } from '../match/rules.ts';

interface FilterAge {
  readonly filter: string | undefined;
  /** Wall milliseconds; 0: as long as anybody knows. */
  readonly since: number;
}

export interface FilterAgesOptions {
  readonly matcher: Pick<Subscribable<MatchEvents>, 'on'> & { readonly rules: Rules };
  readonly wall: () => number;
}

export class FilterAges {
  #ages: ReadonlyMap<string, FilterAge> = new Map();

  constructor({ matcher, wall }: FilterAgesOptions) {
    this.#follow(matcher.rules, 0);
    matcher.on('rules:changed', (rules) => this.#follow(rules, wall()));
  }

  /** By Hook: those that were changed. */
  get changed(): ReadonlyMap<string, number> {
    const changed = [...this.#ages].filter(([, { since }]) => since > 0);
    return new Map(changed.map(([hook, { since }]) => [hook, since]));
  }

  #follow({ hooks }: Rules, at: number): void {
    const ages = hooks.map((hook) => {
      const id = hookId(hook);
      const known = this.#ages.get(id);
      const isKnown = known !== undefined && known.filter === hook.filter;
      return [id, isKnown ? known : { filter: hook.filter, since: at }] as const;
    });
    this.#ages = new Map(ages);
  }
}
