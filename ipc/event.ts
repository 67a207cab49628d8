/** What a plugin says happened. The public shape of an event, and what both sides agree on about it. */

/** The largest event, as UTF-8 bytes of its JSON. */
export const MAX_EVENT_BYTES = 64 * 1024;

export interface PluginEvent {
  /** Kind of event as its source names it, one of the manifest's `eventTypes`: `pod-restart`, `webhook-received`. */
  type: string;
  /** What the event is about. Not empty. */
  resourceName: string;
  /** What happened, for a person. Not empty. */
  message: string;
  /** Kubernetes namespace of the resource; left out by sources that know none. */
  namespace?: string;
  /** Short CamelCase cause: `BackOff`. */
  reason?: string;
  /** RFC 3339. Default: when it was emitted. */
  timestamp?: string;
  /** Free data; values are kept as given. */
  metadata?: Record<string, unknown>;
  tags?: Record<string, string>;
}

/** What an accepted event is known by: `GET /api/v1/events/<id>`. */
export interface Receipt {
  readonly id: string;
}

/** How an event ends. Closed list; exactly one for each event. */
export const OUTCOMES = [
  'invalid',
  'unmapped',
  'mapping_disabled',
  'unmatched',
  'filtered',
  'duplicate',
  'delivered',
  'dead_lettered',
  'dropped',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Why an event was dropped. Closed list, a metric label. */
export type DropReason = 'rate_limited' | 'queue_full' | 'outbox_full' | 'shutdown';

/** The id of the n-th event (from 0) of one generation. Both sides compute it; it is never sent. */
export function eventId(prefix: string, ordinal: number): string {
  return `${prefix}-${ordinal.toString(36)}`;
}
