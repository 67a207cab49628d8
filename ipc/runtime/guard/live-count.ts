// Runs in the plugin's thread.
/** Objects of a kind that may be had in a limited number only: counted while they are alive. */

import { apply, create } from './primordials.ts';
import type { Refusals } from './refusal.ts';

const { register } = FinalizationRegistry.prototype;

/** Counts an object of this kind, and down when it is collected; null asks only. Throws a refusal when it would be one too many. */
export type LiveCount = <T extends object | null>(kind: string, object: T) => T;

export function liveCount(refusals: Refusals, most: number): LiveCount {
  const live: Record<string, number> = create(null) as Record<string, number>;
  const registry = new FinalizationRegistry<string>((kind) => {
    live[kind] = (live[kind] ?? 1) - 1;
  });
  return (kind, object) => {
    const count = live[kind] ?? 0;
    if (count >= most) throw refusals.error(`more than ${most} ${kind}`, 'it would exceed what one plugin may hold');
    if (object !== null) {
      live[kind] = count + 1;
      apply(register, registry, [object, kind]);
    }
    return object;
  };
}
