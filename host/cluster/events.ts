/** What the cluster's rooms say. */

import type { Verb } from './api-target.ts';
import type { LabelEvents, LeaseEvents } from './lease-events.ts';
import type { Refusal } from './refusal.ts';

export interface ClusterEvents extends LeaseEvents, LabelEvents {
  /** There is one now that there was not, or it is another one. Never carries credentials. */
  'connection:changed': {
    readonly server: string;
    /** Where it was read. */
    readonly origin: string;
    /** `token`, `ca`, `server`, …: what is not as it was. */
    readonly changed: readonly string[];
  };
  /** It cannot be read at the moment; the last one stays in use. Said once, until it works again. */
  'connection:unreadable': { readonly reason: string };
  /** A request was answered; `outcome` is a closed set. */
  'request:done': { readonly verb: Verb; readonly resource: string; readonly outcome: RequestOutcome };
  /** RBAC does not let khook do what it wants to. Said once for each verb and resource. Of Hooks themselves, that is `hooks:refused`. */
  'access:refused': Refusal;
  /** It does now. */
  'access:granted': Refusal;
  /** All Hooks were listed for the first time. */
  'hooks:synced': { readonly hooks: number; readonly namespaces: readonly string[] };
  /** Hooks came, changed or went, and khook is about to take that up. */
  'hooks:changed': { readonly added: number; readonly changed: number; readonly removed: number };
  /** The cluster's Hooks cannot be followed: those that are known stay in force. Said once, until `hooks:fresh`. */
  'hooks:stale': { readonly reason: string; readonly isSynced: boolean };
  'hooks:fresh': { readonly afterMs: number };
  /** RBAC does not let khook list or watch Hooks. */
  'hooks:refused': Refusal;
  /** A Hook's status was written. */
  'status:written': { readonly hook: string };
  /** It was not, and is tried again. */
  'status:error': { readonly hook: string; readonly message: string; readonly retryInMs: number };
  /** The API server does not keep all that khook writes: its CustomResourceDefinition is that of an older khook. Said once. */
  'status:pruned': { readonly hook: string };
  /** An Event about a Hook was written, or one was raised. */
  'record:written': { readonly reason: string };
  'record:error': { readonly reason: string; readonly message: string };
  /** There were more than can be written. */
  'record:dropped': { readonly reason: string; readonly count: number };
}

export type RequestOutcome = 'ok' | 'conflict' | 'refused' | 'gone' | 'error' | 'unreachable';

export function requestOutcome(status: number | null): RequestOutcome {
  if (status === null) return 'unreachable';
  if (status < 400) return 'ok';
  if (status === 409) return 'conflict';
  if (status === 401 || status === 403) return 'refused';
  return status === 404 || status === 410 ? 'gone' : 'error';
}
