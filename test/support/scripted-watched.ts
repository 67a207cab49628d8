/** A vessel as the watchdog sees it, that shows what its script says: for tests of the watch, with a fake clock and without threads. */

import type { Exit } from '../../host/sandbox/exit.ts';
import type { OutsideSigns, Sizes, Watch, Watched, WatchedLimits } from '../../host/sandbox/watched.ts';
import type { PulseMessage } from '../../ipc/messages.ts';

const MB = 1024 * 1024;

export class ScriptedWatched implements Watched {
  readonly plugin: string;
  readonly generation = 1;
  readonly limits: WatchedLimits = { memoryBytes: 64 * MB, cpuShare: 0.85, hangTimeoutMs: 2_000 };
  readonly sharesHost = true;
  readonly pulses: PulseMessage[] = [];
  readonly exits: Exit[] = [];
  /** The pulse is answered at once. */
  isAnswering = true;
  /** In MB. */
  heap = 10;
  heapAfterCollection = 10;
  resident = 100;
  faulted = 10;
  cpuSeconds = 0;
  /** Thrown by whatever reads it. */
  failure: Error | null = null;
  readSizes: (sizes: Sizes) => Promise<Sizes> = async (sizes) => sizes;
  watch: Watch | null = null;

  constructor(plugin: string) {
    this.plugin = plugin;
  }

  residentBytes(): number {
    return this.resident * MB;
  }

  outside(): OutsideSigns {
    if (this.failure !== null) throw this.failure;
    return { loopActiveMs: 0, cpuSeconds: this.cpuSeconds, faultedBytes: this.faulted * MB };
  }

  poolWork(): number {
    return 0;
  }

  sizes(): Promise<Sizes> {
    const bytes = this.heap * MB;
    return this.readSizes({
      heapBytes: bytes,
      heapTotalBytes: bytes,
      externalBytes: 0,
      mallocedBytes: 0,
      cpuSeconds: 0,
    });
  }

  pulse(message: PulseMessage): void {
    this.pulses.push(message);
    if (!this.isAnswering) return;
    if (message.kind === 'collect') this.heap = this.heapAfterCollection;
    this.watch?.answered(message);
  }

  terminate(exit: Exit): void {
    this.exits.push(exit);
  }
}
