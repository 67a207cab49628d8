/** What a vessel offers the watchdog, and what it gets for it. Whatever a plugin runs in, it is judged by the same policies. */

import type { PulseMessage } from '../../ipc/messages.ts';
import type { PluginLimits } from '../config/permissions.ts';
import type { Exit } from './exit.ts';
import type { VitalSigns } from './vessel.ts';

export type WatchedLimits = Pick<PluginLimits, 'memoryBytes' | 'cpuShare' | 'hangTimeoutMs'>;

/** In bytes. A process whose heap cannot be seen from outside gives its resident memory above that of an idle one as `heapBytes`. */
export type Sizes = Pick<VitalSigns, 'heapBytes' | 'heapTotalBytes' | 'externalBytes' | 'mallocedBytes'> &
  Pick<VitalSigns, 'cpuSeconds'>;

/** What can be read without asking. Each is a sum since birth, or null where the system does not say. */
export interface OutsideSigns {
  /** How long its event loop was busy. */
  readonly loopActiveMs: number | null;
  readonly cpuSeconds: number | null;
  readonly faultedBytes: number | null;
}

export interface Watched {
  readonly plugin: string;
  readonly generation: number;
  readonly limits: WatchedLimits;
  /** Resident memory of the process that it is in; must answer at once. */
  residentBytes(): number;
  /** It lives in the host's own process, so that what it takes outside its heap shows in the host's resident memory. */
  readonly sharesHost: boolean;
  /** Must answer at once. */
  outside(): OutsideSigns;
  /** Its jobs in the thread pool of the host since its birth: their number and milliseconds together. Must answer at once. */
  poolWork(): number;
  /** May reject, may never answer: both are signs. */
  sizes(): Promise<Sizes>;
  /** Sends on its pulse wire. The runtime answers with the same message; hand that to `Watch.answered`. */
  pulse(message: PulseMessage): void;
  /** Called once, with the watchdog's verdict. */
  terminate(exit: Exit): void;
}

export interface Watch {
  readonly vitals: VitalSigns;
  /** About the last ten seconds, oldest first. */
  readonly history: readonly VitalSigns[];
  /** Takes what came in on the pulse wire; returns what is wrong with it, or null. */
  answered(message: unknown): string | null;
  /** Reads now. Never rejects; resolves at the latest when the vessel is gone. */
  sample(): Promise<void>;
  /** It is gone. `vitals` and `history` stay as they are. */
  close(): void;
}
