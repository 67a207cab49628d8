/** What an election by a lease says. */

import type { LeadershipEvents } from './leadership.ts';

export interface LabelEvents {
  /** The label of the leader's pod cannot be written: until it can, the webhook Service may have the wrong pods. Said once for each reason. */
  'label:fault': { readonly pod: string; readonly code: string; readonly message: string };
  'label:recovered': { readonly pod: string };
}

export interface LeaseEvents extends LeadershipEvents {
  'leadership:acquired': {
    readonly identity: string;
    /** `itself`: an earlier life of this khook had it, and nobody else since. */
    readonly from: 'nobody' | 'itself' | 'released' | 'expired';
    /** Who had it before; empty: nobody. */
    readonly before: string;
    /** How often the lease changed hands: grows with every leader. */
    readonly term: number;
  };
  /** A standby sees another one lead. */
  'lease:holder': { readonly holder: string };
  /** The lease cannot be read or renewed. Said once for each reason, until it can. */
  'lease:fault': { readonly code: string; readonly message: string; readonly isLeading: boolean };
  'lease:recovered': { readonly forMs: number };
  /** Given back: the next candidate that looks takes it. */
  'lease:released': { readonly identity: string };
}
