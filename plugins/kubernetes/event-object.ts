import { timeOf } from './finding.ts';

/** An Event of events.k8s.io/v1 as the API server sends it. Older reporters fill only the deprecated fields, newer ones only `series`. */
export interface EventObject {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly creationTimestamp?: string | null;
  };
  readonly regarding?: {
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly apiVersion?: string;
    readonly fieldPath?: string;
  };
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string | null } | null;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly deprecatedCount?: number;
  readonly deprecatedLastTimestamp?: string | null;
}

/** How often it happened, as far as the Event tells. */
export function countOf(event: EventObject): number {
  return Math.max(1, event.series?.count ?? 0, event.deprecatedCount ?? 0);
}

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
    const at = timeOf(text);
    if (typeof text === 'string' && at !== null && (newest === null || at > newest.at)) newest = { text, at };
  }
  return newest;
}
