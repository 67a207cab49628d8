/** Whether an Event is news. Pure. */

import type { EventObject } from './event-object.ts';

export const STALE_AFTER_MS = 15 * 60_000;

/**
 * The newest of the four times an Event may carry, as it was written, or null. A kubelet updates one Event in place and moves only
 * deprecatedLastTimestamp: judged by its creation alone, a crash loop would fall silent after fifteen minutes.
 */
export function newestTime(event: EventObject): { readonly text: string; readonly at: number } | null {
  let newest: { text: string; at: number } | null = null;
  for (const text of [
    event.series?.lastObservedTime,
    event.deprecatedLastTimestamp,
    event.eventTime,
    event.metadata.creationTimestamp,
  ]) {
    const at = typeof text === 'string' ? Date.parse(text) : Number.NaN;
    if (typeof text === 'string' && !Number.isNaN(at) && (newest === null || at > newest.at)) newest = { text, at };
  }
  return newest;
}

/** An Event without any readable time counts as news: it cannot be shown to be old. */
export function isStale(event: EventObject, nowMs: number): boolean {
  const newest = newestTime(event);
  return newest !== null && nowMs - newest.at > STALE_AFTER_MS;
}
