/** Whether a Hook listens to a type under one of its names, or to one that is spelled much like it. Pure but for what it remembers. */

import type { Hook } from '../config/hook.ts';
import type { Mapping } from '../config/mapping.ts';
import { nearestWord } from '../config/suggest.ts';
import { canonicalType } from '../match/hook-index.ts';

export function listensTo(hook: Hook, types: readonly string[]): boolean {
  const wanted = new Set(types.map(canonicalType));
  return hook.eventConfigurations.some(({ eventType }) => wanted.has(canonicalType(eventType)));
}

/** Ten thousand Hooks listen to a few types: the answer for each pair is asked for again and again. */
const MAX_REMEMBERED = 4_096;
const remembered = new Map<string, string | null>();
/** By the mappings themselves, which are asked about for each event and each Hook. */
const knownTypes = new WeakMap<readonly Mapping[], ReadonlySet<string>>();

/** The name out of `types` that the Hook most likely meant by `eventType`, spelled as there; null: none is near. */
export function meantType(eventType: string, types: readonly string[]): string | null {
  const key = JSON.stringify([eventType, types]);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  const meant = nearestType(eventType, types);
  remembered.set(key, meant);
  return meant;
}

function nearestType(eventType: string, types: readonly string[]): string | null {
  const direct = nearestWord(eventType, types);
  if (direct !== null) return direct;
  const near = nearestWord(plain(eventType), types.map(plain));
  return near === null ? null : (types.find((type) => plain(type) === near) ?? null);
}

/** Without what spellings differ in. */
function plain(type: string): string {
  return canonicalType(type)
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase();
}

/** Of the types that a Hook names: those that no mapping knows, in which a slip may be. */
export function unknownTypes(eventTypes: readonly string[], mappings: readonly Mapping[]): readonly string[] {
  let known = knownTypes.get(mappings);
  if (known === undefined) {
    known = new Set(mappings.flatMap(namesOf).map(canonicalType));
    knownTypes.set(mappings, known);
  }
  return eventTypes.filter((eventType) => !known.has(canonicalType(eventType)));
}

export function namesOf({ eventType, internalType }: Mapping): readonly string[] {
  return [eventType, internalType];
}
