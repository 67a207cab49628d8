/** What this room hears of dispatch. */

import type { TakenFiring } from './active-events.ts';

export interface FiringEvents {
  'firing:accepted': TakenFiring;
  /** From an earlier life of khook. */
  'firing:restored': TakenFiring;
  'firing:duplicate': { readonly hook: string; readonly dedupKey: string };
  /** The agent took the message. */
  'call:accepted': { readonly delivery: TakenFiring; readonly agent: string };
  /** An attempt failed, or the task of one. */
  'call:error': {
    readonly delivery: TakenFiring;
    readonly agent: string;
    readonly code: string;
    readonly message: string;
  };
  'firing:settled': { readonly delivery: TakenFiring; readonly outcome: string; readonly detail: string };
}
