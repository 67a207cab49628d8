/** Names in a prompt that no event has, and that are spelled much like one that it has. Pure. */

import { nearestWord } from '../config/suggest.ts';
import { ROOT_FIELDS } from '../match/prompt.ts';

export interface PromptSlip {
  /** As it stands there: `{{.ResourceNam}}`. */
  readonly written: string;
  readonly meant: string;
}

/** Of one that is not near to any name it is not known that it is one: such text goes out as it stands. */
export function promptSlips(prompt: string): readonly PromptSlip[] {
  // There the dot may be something else than the event.
  if (/\{\{-?\s*(with|range|define|block)\b/.test(prompt)) return [];
  const names = new Map(
    [...prompt.matchAll(/\{\{-?\s*\.(\w+)\s*-?\}\}/g)].map(([written, name = '']) => [name, written]),
  );
  return [...names].flatMap(([name, written]) => {
    const meant = ROOT_FIELDS.has(name) ? null : nearestWord(name, ROOT_FIELDS);
    return meant === null ? [] : [{ written, meant: `{{.${meant}}}` }];
  });
}
