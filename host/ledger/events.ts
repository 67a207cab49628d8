/** What the ledger says. */

import type { Outcome } from '../../ipc/event.ts';

export interface LedgerEvents {
  /** Events of one plugin that ended in the same way at the same time. */
  'events:settled': { readonly plugin: string; readonly outcome: Outcome; readonly count: number };
}
