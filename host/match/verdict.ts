/** What the matcher says of a frame. Plain data: it crosses a thread. */

import type { AgentRef } from '../config/hook.ts';
import type { Severity } from '../config/mapping.ts';

/** `fires` is not an outcome yet: dispatch decides between duplicate, delivered and the rest. */
export const VERDICTS = ['invalid', 'unmapped', 'mapping_disabled', 'unmatched', 'filtered', 'fires'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A Hook meets an event. Dispatch decides whether it is sent. */
export interface Firing {
  /** Position of the event in its frame. */
  readonly index: number;
  /** Later events of the same frame with the same dedup key: duplicates of this one, whatever becomes of it. */
  readonly repeats: readonly number[];
  /** `namespace/name` of the Hook. */
  readonly hook: string;
  /** Position in the Hook's eventConfigurations. */
  readonly configuration: number;
  readonly agent: AgentRef;
  /** Rendered; what the agent is sent. */
  readonly prompt: string;
  readonly dedupKey: string;
  readonly source: string;
  /** As the Hook names it. */
  readonly eventType: string;
  readonly internalType: string;
  readonly severity: Severity;
  readonly resourceName: string;
  readonly namespace: string;
  /** When the newest of its events happened, in Unix milliseconds: as it says itself, else when it came. */
  readonly occurredAt: number;
  /** The Hook's own limit for a call and for its task; absent: the host's. */
  readonly timeoutMs?: number;
  /** The Hook's budget; absent: no limit. */
  readonly callsPerHour?: number;
}

/** One event of a frame that is not simply `fires`, with the cause in words (`resourceName cannot be empty`). */
export interface Cause {
  readonly index: number;
  readonly text: string;
}

export interface FrameVerdict {
  /** One position in VERDICTS per event, as UTF-16 units. */
  readonly verdicts: string;
  readonly causes: readonly Cause[];
  readonly firings: readonly Firing[];
}

export function verdictAt(frame: FrameVerdict, index: number): Verdict {
  return VERDICTS[frame.verdicts.charCodeAt(index)] ?? 'invalid';
}
