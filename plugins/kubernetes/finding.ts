/** What one look at an object of the API server says. */

import type { PluginEvent } from 'khook/plugin';

export type EventType = 'pod-restart' | 'oom-kill' | 'pod-pending' | 'probe-failed' | 'node-not-ready';

/** Why an Event is not reported. Closed list: a label of a metric. */
export type IgnoredWhy = 'kind' | 'normal' | 'reason' | 'nameless' | 'stale' | 'known';

/** Something that happened: the same `key` happens again when it does so later, or when the count of it has grown. */
export interface Occurrence {
  readonly kind: 'occurrence';
  readonly key: string;
  /** Unix milliseconds; null when the object does not say: then it counts as now. */
  readonly at: number | null;
  readonly count: number;
  readonly event: PluginEvent;
}

export type Finding = Occurrence | { readonly kind: 'ignored'; readonly why: IgnoredWhy };

/** A time as the API server writes it, or null. */
export function timeOf(text: unknown): number | null {
  const at = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}
