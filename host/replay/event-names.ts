/** What an event is about, for people. Pure. */

import type { EventRead } from './recording-line.ts';

export interface EventNames {
  readonly resourceName: string;
  /** Empty: it has none. */
  readonly namespace: string;
}

/** An event is asked for its names once for each Hook. */
const known = new WeakMap<object, EventNames>();

/** Empty for what is no event. */
export function eventNames(event: Pick<EventRead, 'line'>): EventNames {
  const names = known.get(event) ?? readNames(event.line);
  known.set(event, names);
  return names;
}

function readNames(line: string): EventNames {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  try {
    const value = JSON.parse(line) as Record<string, unknown> | null;
    return { resourceName: text(value?.resourceName), namespace: text(value?.namespace) };
  } catch {
    return { resourceName: '', namespace: '' };
  }
}
