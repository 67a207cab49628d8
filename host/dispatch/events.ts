/** What dispatch says. `agent` is `namespace/name`. */

import type { Delivery } from './delivery.ts';
import type { StorageFault } from './storage-fault.ts';

export interface OutboxEvents {
  /** Said once, when what an earlier life left has been read. */
  'outbox:opened': { readonly path: string; readonly firings: number; readonly deadLetters: number };
  /** It cannot be written; whoever writes waits. Said once, and again when it is another fault by now. */
  'outbox:fault': StorageFault;
  /** It can be written again. */
  'outbox:recovered': { readonly path: string; readonly forMs: number };
  /** It was damaged, and a new one is written from what khook holds in memory. */
  'outbox:set-aside': { readonly path: string; readonly to: string };
  /** Over their bounds. */
  'dead-letters:forgotten': { readonly count: number; readonly why: 'size' | 'age' };
  /** Somebody set the wall clock under a running khook, forward or (negative) back. */
  'clock:stepped': { readonly byMs: number };
}

export interface DispatchEvents extends OutboxEvents {
  /** Taken over: dispatch will see to it. */
  'firing:accepted': Delivery;
  /** Taken up from an earlier life of khook. */
  'firing:restored': Delivery;
  /** Taken out of the dead letters: a person wants it sent again. */
  'firing:redriven': Delivery;
  /** A person wants it forgotten. */
  'dead-letter:dropped': Delivery;
  /** No room is left and sources wait for it, with so many firings. Said once, until there is room for all who wait. */
  'outbox:full': { readonly firings: number };
  'outbox:roomy': { readonly forMs: number };
  'firing:duplicate': {
    readonly eventId: string;
    readonly hook: string;
    readonly dedupKey: string;
    readonly until: number;
  };
  /** Its Hook has a budget: what was used of it when this one came. `forMs`: until the running hour is over; null: none runs. */
  'firing:budgeted': {
    readonly delivery: Delivery;
    readonly callsPerHour: number;
    readonly calls: number;
    readonly forMs: number | null;
  };
  /** Its Hook has used up its budget: it waits, to go out with a digest in `forMs`. */
  'firing:held': { readonly delivery: Delivery; readonly callsPerHour: number; readonly forMs: number };
  /** It ends as the message of its digest ends, which stands for so many firings. */
  'firing:digested': { readonly delivery: Delivery; readonly messageId: string; readonly firings: number };
  /** Goes out as one message, that of one of its firings. */
  'digest:sent': {
    readonly hook: string;
    readonly agent: string;
    readonly messageId: string;
    readonly firings: number;
  };
  'call:started': { readonly delivery: Delivery; readonly agent: string; readonly attempt: number };
  /** The agent took the message; `taskId` is empty when it answered with a message at once. */
  'call:accepted': {
    readonly delivery: Delivery;
    readonly agent: string;
    readonly taskId: string;
    readonly durationMs: number;
  };
  /** This attempt failed; another follows at `retryInMs`, or none (null). */
  'call:error': {
    readonly delivery: Delivery;
    readonly agent: string;
    readonly code: string;
    readonly message: string;
    readonly durationMs: number;
    readonly retryInMs: number | null;
  };
  'task:completed': {
    readonly delivery: Delivery;
    readonly agent: string;
    readonly taskId: string;
    readonly durationMs: number;
  };
  'firing:settled': {
    readonly delivery: Delivery;
    /** `duplicate`: another khook has sent a newer firing of its key. */
    readonly outcome: 'delivered' | 'dead_lettered' | 'dropped' | 'duplicate';
    readonly detail: string;
  };
  /** The outbox could not record a step. The delivery goes on; after a crash it is sent again under the same messageId. */
  'outbox:error': { readonly messageId: string; readonly message: string };
  'circuit:opened': { readonly agent: string };
  'circuit:closed': { readonly agent: string };
}
