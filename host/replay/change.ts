/** What is different about one event: for each Hook, what it came to before and what it comes to now. Pure. */

import type { FiringPlace } from './history.ts';

export interface SideView {
  /** Position in the Hook's eventConfigurations. */
  readonly configuration: number;
  /** `namespace/name`. */
  readonly agent: string;
  /** `silent`: matched, and a duplicate. */
  readonly state: 'sent' | 'held' | 'silent';
  /** Of what it is a duplicate; empty where it is none. */
  readonly detail: string;
  /** null: not known. */
  readonly prompt: string | null;
  /** Why the prompt is the raw text of the Hook; null: it is not, or it is not known. */
  readonly problem: string | null;
}

export type ChangeKind = 'same' | 'new' | 'gone' | 'changed';

export interface Change extends FiringPlace {
  readonly kind: ChangeKind;
  readonly before: SideView | null;
  readonly now: SideView | null;
  /** Of a change, in words: the agent, the budget, the prompt. */
  readonly what: readonly string[];
}

export interface Sides {
  /** By `sideKey`. */
  readonly before: ReadonlyMap<string, SideView & FiringPlace>;
  readonly now: ReadonlyMap<string, SideView & FiringPlace>;
  /** False: what is only there now may have been there before. */
  readonly isBeforeComplete: boolean;
}

export function sideKey({ hook, place }: FiringPlace): string {
  return JSON.stringify([hook, place]);
}

/** Firings that went out before or go out now. */
export function changesOf({ before, now, isBeforeComplete }: Sides): Change[] {
  const keys = new Set([...now.keys(), ...before.keys()]);
  return [...keys].flatMap((key): Change[] => {
    const [was, is] = [before.get(key) ?? null, now.get(key) ?? null];
    const about = is ?? was;
    if (about === null) return [];
    const { hook, place } = about;
    const change = { hook, place, before: was, now: is, what: [] };
    if (!goesOut(was) && !goesOut(is)) return [];
    if (was === null && !isBeforeComplete) return [{ ...change, kind: 'same' }];
    if (!goesOut(was)) return [{ ...change, kind: 'new' }];
    if (!goesOut(is)) return [{ ...change, kind: 'gone' }];
    const what = differences(was, is);
    return [{ ...change, kind: what.length === 0 ? 'same' : 'changed', what }];
  });
}

function goesOut(view: SideView | null): view is SideView {
  return view !== null && view.state !== 'silent';
}

function differences(was: SideView, is: SideView): string[] {
  const words: string[] = [];
  if (was.agent !== is.agent) words.push(`agent ${is.agent} in place of ${was.agent}`);
  if (was.state !== is.state)
    words.push(is.state === 'held' ? 'held for a digest' : 'goes out at once, not with a digest');
  if (was.prompt === null || is.prompt === null) return words;
  if (is.problem !== null && was.problem === null) words.push(`its prompt is the raw text: ${is.problem}`);
  else if (withoutMarks(was.prompt) !== withoutMarks(is.prompt)) words.push('another prompt');
  return words;
}

/** The code in the marks of untrusted text is another in each thread. */
export function withoutMarks(prompt: string): string {
  return prompt.replace(/untrusted-event-data-[0-9a-f]{12}/g, 'untrusted-event-data');
}
