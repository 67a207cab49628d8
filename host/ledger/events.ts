/** What the ledger says. */

import type { Outcome } from '../../ipc/event.ts';
import type { LedgerFrame } from './ledger-frame.ts';

export interface LedgerEvents {
  /** Events of one plugin that ended in the same way at the same time. */
  'events:settled': { readonly plugin: string; readonly outcome: Outcome; readonly count: number };
  /** The same, one by one: which events of a frame ended. Gathered only while somebody listens. */
  'events:ended': { readonly frame: LedgerFrame; readonly indices: readonly number[] };
}
