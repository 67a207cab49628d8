/** What an event came to, Hook by Hook: as it was recorded, or as a world has it. Pure. */

import { type SideView, sideKey } from './change.ts';
import { type FiringPlace, placed } from './history.ts';
import type { Judge } from './judge.ts';
import type { EventRead, FiringRead } from './recording-line.ts';
import type { WorldEvent, WorldFiring } from './world.ts';

export type Side = ReadonlyMap<string, SideView & FiringPlace>;

/** Prompts are not in a recording. */
export function recordedSide(event: EventRead): Side {
  const views = placed(event.firings ?? []).flatMap(({ firing, hook, place }) => {
    if (firing.decision === 'pending') return [];
    const { configuration, agent } = firing;
    const view = { hook, place, configuration, agent, ...recordedState(firing), prompt: null, problem: null };
    return [[sideKey(view), view] as const];
  });
  return new Map(views);
}

/** Whether the recording knows of every firing that there was. */
export function isComplete({ firings, hasMoreFirings }: EventRead): boolean {
  return firings !== undefined && !hasMoreFirings && firings.every(({ decision }) => decision !== 'pending');
}

export function worldSide({ judged, firings }: WorldEvent, judge: Judge): Side {
  const of = new Map(firings.map((each) => [each.firing, each.decision]));
  const views = placed(firings.map(({ firing }) => firing)).map(({ firing, hook, place }) => {
    const { configuration, agent, prompt } = firing;
    const decision = of.get(firing) ?? { kind: 'sent' as const };
    const view = {
      ...{ hook, place, configuration, agent: `${agent.namespace}/${agent.name}` },
      ...worldState(decision),
      prompt,
      problem: judge.problemOf(firing, judged),
    };
    return [sideKey(view), view] as const;
  });
  return new Map(views);
}

function recordedState({ decision, held, of, until }: FiringRead): Pick<SideView, 'state' | 'detail'> {
  if (decision !== 'duplicate') return { state: held === true ? 'held' : 'sent', detail: '' };
  const what = of === undefined ? 'of an earlier firing' : `of ${of}`;
  return { state: 'silent', detail: until === undefined ? what : `${what}, until ${time(until)}` };
}

function worldState(decision: WorldFiring['decision']): Pick<SideView, 'state' | 'detail'> {
  if (decision.kind !== 'duplicate') return { state: decision.kind, detail: '' };
  const what = decision.of === null ? 'of a firing before the recording' : `of ${decision.of}`;
  return { state: 'silent', detail: `${what}, until ${time(decision.until)}` };
}

function time(at: number): string {
  return new Date(at).toISOString();
}
