/** Whether a Hook listens to a type under one of its names, or to one that is spelled much like it. Pure. */

import type { Hook } from '../config/hook.ts';
import type { Mapping } from '../config/mapping.ts';
import { nearestWord } from '../config/suggest.ts';
import { canonicalType } from '../match/hook-index.ts';

export function listensTo(hook: Hook, types: readonly string[]): boolean {
  const wanted = new Set(types.map(canonicalType));
  return hook.eventConfigurations.some(({ eventType }) => wanted.has(canonicalType(eventType)));
}

/** The name out of `types` that the Hook most likely meant by `eventType`, spelled as there; null: none is near. */
export function meantType(eventType: string, types: readonly string[]): string | null {
  const direct = nearestWord(eventType, types);
  if (direct !== null) return direct;
  const plain = (text: string): string =>
    canonicalType(text)
      .replace(/[^\p{L}\p{N}]/gu, '')
      .toLowerCase();
  const near = nearestWord(plain(eventType), types.map(plain));
  return near === null ? null : (types.find((type) => plain(type) === near) ?? null);
}

export function namesOf({ eventType, internalType }: Mapping): readonly string[] {
  return [eventType, internalType];
}
