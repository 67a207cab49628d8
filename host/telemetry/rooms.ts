/** The rooms that telemetry listens to. It holds the hearing end of each emitter, nothing else of them. */

import type { Subscribable } from '../base/emitter.ts';
import type { BusEvents } from '../bus/events.ts';
import type { ClusterEvents } from '../cluster/events.ts';
import type { ConfigEvents } from '../config/events.ts';
import type { DispatchEvents } from '../dispatch/events.ts';
import type { LedgerEvents } from '../ledger/events.ts';
import type { MatchEvents } from '../match/events.ts';
import type { SupervisionEvents } from '../supervision/events.ts';

export interface Rooms {
  readonly config: Subscribable<ConfigEvents>;
  readonly supervision: Subscribable<SupervisionEvents>;
  readonly bus: Subscribable<BusEvents>;
  readonly match: Subscribable<MatchEvents>;
  readonly dispatch: Subscribable<DispatchEvents>;
  readonly ledger: Subscribable<LedgerEvents>;
  readonly cluster: Subscribable<ClusterEvents>;
}
