/** How near an event came to firing for a Hook, and the nearest of many, those with the same cause as one. Pure. */

import { type Hook, hookId } from '../config/hook.ts';
import type { Mapping } from '../config/mapping.ts';
import type { GivenRules, Judged } from './judge.ts';
import { type Obstacle, obstacleWords } from './obstacle.ts';
import type { EventRead } from './recording-line.ts';
import { type Remedy, remedy } from './remedy.ts';
import { listensTo, meantType, unknownTypes } from './type-fit.ts';
import type { WhyNot } from './why-not.ts';

export interface NearMiss extends Remedy {
  /** The newest with this cause. */
  readonly event: EventRead;
  /** The same for those that are told as one. */
  readonly key: string;
  readonly nearness: number;
}

export interface Miss extends NearMiss {
  readonly events: number;
}

/** 0: far off. */
function nearness(
  obstacle: Obstacle,
  { hook, event, mapping, rules }: { hook: Hook; event: EventRead; mapping: Mapping | undefined; rules: GivenRules },
): number {
  const { type } = event;
  switch (obstacle.kind) {
    case 'filtered':
      return 5;
    case 'suspended':
      return 4;
    case 'namespace':
    case 'scope':
      return 3;
    case 'invalid':
    case 'unmapped':
    case 'mapping_disabled':
      return listensTo(hook, [type, ...(mapping === undefined ? [] : [mapping.internalType])]) ? 2 : 0;
    case 'type': {
      const names = [type, obstacle.internalType];
      return unknownTypes(obstacle.listensTo, rules.mappings).some((eventType) => meantType(eventType, names) !== null)
        ? 1
        : 0;
    }
    case 'no_such_hook':
    case 'none':
      return 0;
  }
}

/** Of an event that does not fire for the Hook; null: it is far off. `judged` by the same rules. */
export function missOf(
  event: EventRead,
  judged: Judged,
  { hook, rules, whyNot }: { readonly hook: Hook; readonly rules: GivenRules; readonly whyNot: WhyNot },
): NearMiss | null {
  const { source, type } = event;
  const obstacle = whyNot.find(event, hookId(hook), judged);
  const mapping = rules.mappings.find(({ eventSource, eventType }) => eventSource === source && eventType === type);
  const near = nearness(obstacle, { hook, event, mapping, rules });
  if (near === 0) return null;
  return { event, key: obstacleWords(obstacle), nearness: near, ...remedy(obstacle, { event, hook, rules }) };
}

/** Nearest first, then newest. */
export class NearestMisses {
  readonly #misses = new Map<string, Miss>();

  add(miss: NearMiss): void {
    const known = this.#misses.get(miss.key);
    const newest = known !== undefined && known.event.receivedAt > miss.event.receivedAt ? known : miss;
    this.#misses.set(miss.key, { ...newest, events: (known?.events ?? 0) + 1 });
  }

  get sorted(): Miss[] {
    return [...this.#misses.values()].sort(
      (a, b) => b.nearness - a.nearness || b.event.receivedAt - a.event.receivedAt,
    );
  }
}
