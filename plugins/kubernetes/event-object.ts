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
